import { fileURLToPath } from 'node:url'
import { gate } from '@flow-cache/core/testing'
import { startEdgeWorker } from '@flow-cache/servers'
import { expect, it } from 'vitest'
import { openOrigin } from './open-origin.js'

const main = fileURLToPath(new URL('../src/hono-worker.ts', import.meta.url))
const patience = { timeout: 30_000, interval: 100 }

// The first run of a checkout fetches the runtime.
it('a worker asks its origin once, and answers while the origin is away or slow', async () => {
  const first = gate()
  const slow = gate()
  let name = 'Lamp'
  await using origin = await openOrigin(async ({ url }, response) => {
    if (origin.asked.length === 1) await first.wait()
    if (name === 'Lantern') await slow.wait()
    if (url === '/products/nothing') return response.writeHead(404).end()
    return response.setHeader('cache-control', 'max-age=2').end(JSON.stringify({ name }))
  })
  await using worker = await startEdgeWorker(main, { ORIGIN: origin.url })
  const ask = async (id: string) => {
    const answer = await fetch(`${worker.url}/products/${id}`)
    return { status: answer.status, from: answer.headers.get('x-cache'), body: await answer.text() }
  }

  const readers = Promise.all(Array.from({ length: 50 }, () => ask('lamp')))
  await first.arrived
  first.open()
  const answers = await readers
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['{"name":"Lamp"}']))
  expect(answers.filter(({ from }) => from === 'miss')).toHaveLength(1)
  expect(origin.asked).toEqual(['/products/lamp'])

  expect([(await ask('nothing')).status, (await ask('nothing')).status]).toEqual([404, 404])
  expect(origin.asked).toHaveLength(2)

  origin.down = true
  await expect.poll(() => ask('lamp'), patience).toMatchObject({ status: 200, from: 'stale' })
  expect(await ask('chair')).toMatchObject({ status: 502, body: '{"error":"the origin says 503"}' })

  // Back, and slow: the old answer comes at once, the load ends after it.
  name = 'Lantern'
  origin.down = false
  const before = origin.asked.length
  await expect.poll(async () => (await ask('lamp'), origin.asked.length), patience).toBeGreaterThan(before)
  expect(await ask('lamp')).toEqual({ status: 200, from: 'stale', body: '{"name":"Lamp"}' })
  const asked = origin.asked.length
  slow.open()
  await expect.poll(() => ask('lamp'), patience).toMatchObject({ body: '{"name":"Lantern"}' })
  expect(origin.asked.length).toBeLessThanOrEqual(asked + 1)
  expect(worker.output).toBe('')
}, 180_000)
