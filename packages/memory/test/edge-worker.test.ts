import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startEdgeWorker } from '@flow-cache/servers'
import { gate } from '@flow-cache/core/testing'
import { expect, it, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('edge-worker-main.ts', import.meta.url))

// The first run of a checkout fetches the runtime.
it('in an edge worker, a cache that is made at import shares loads among requests, and its entries end', async () => {
  const hold = gate()
  const origin = createServer((_, response) => void hold.wait().then(() => response.end()))
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    origin.closeAllConnections()
    origin.close()
  })
  const { port } = origin.address() as AddressInfo
  await using worker = await startEdgeWorker(main, { ORIGIN: `http://127.0.0.1:${port}` })
  const ask = async (path: string, method = 'GET'): Promise<unknown> =>
    (await fetch(worker.url + path, { method })).json()

  const slow = Promise.all(Array.from({ length: 20 }, () => ask('/slow')))
  await hold.arrived
  hold.open()
  expect(new Set(await slow)).toEqual(new Set([1]))

  expect([await ask('/a'), await ask('/b'), await ask('/a')]).toEqual([2, 3, 2])
  await expect.poll(() => ask('/a'), { timeout: 30_000, interval: 200 }).toBe(4)
  expect([await ask('/a', 'DELETE'), await ask('/a')]).toEqual([5, 5])
  expect(worker.output).toBe('')
}, 180_000)
