import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { openShop } from './open-shop.js'
import { programOf } from './program.js'

it('a shop that is killed loses no basket: the next one brings the last of each to the database', async () => {
  const main = await programOf('test/shopping-process.ts')
  const folder = mkdtempSync(join(tmpdir(), 'flow-cache-shop-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const child = spawn(process.execPath, [main, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))

  const told = new Map<string, number>()
  for await (const line of createInterface({ input: child.stdout })) {
    // What it told after this is read too, until the pipe ends with it.
    const { customer, n } = JSON.parse(line) as { customer: string; n: number }
    told.set(customer, n)
    if (n === 200) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  expect(told.size).toBe(20)

  const next = openShop(folder)
  expect((await next.journal.counts()).pending).toBeGreaterThan(0)
  for (const [customer, n] of told) {
    // The last one may have been accepted without a word.
    expect((await next.shop.basket(customer))['lamp'], customer).toBeOneOf([n, n + 20])
  }
  expect(await next.shop.basket('nobody')).toEqual({})
  const seen = await Promise.all([...told.keys()].map((customer) => next.shop.basket(customer)))
  const { baskets } = next
  const report = await next.shop.close()
  expect(report).toMatchObject({ pending: 0, dead: 0 })
  for (const [i, customer] of [...told.keys()].entries()) {
    expect(await baskets.read(customer, {})).toEqual(seen[i])
  }
  await next.close()
}, 180_000)
