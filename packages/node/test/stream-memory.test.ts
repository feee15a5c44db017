import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { cacheNode, defineNode, runNode } from '@flow-cache/node'
import { expect, it } from 'vitest'
import { output } from './results.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const megabyte = 1_000_000

/** What bytes take now, beside garbage, in megabytes. Each collection counts what the one before has freed. */
const held = async (): Promise<number> => {
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    collect()
  }
  return process.memoryUsage().arrayBuffers / megabyte
}

it.each(['clone', 'share'] as const)(
  'a reader of a long stream holds no chunk that it has got, copy: %j',
  async (copy) => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    const node = defineNode('long', async function () {
      return (async function* () {
        for (let i = 0; i < 100; i++) yield new Uint8Array(megabyte).fill(i)
      })()
    })
    const cached = cacheNode(node, { cache, scope: 'global', copy, stream: { maxBytes: 2 * megabyte } })
    const before = await held()
    const reader = output(await runNode(cached, 1))[Symbol.asyncIterator]()
    await reader.next()
    expect((await held()) - before).toBeLessThan(8)
    for (let i = 1; i < 99; i++) await reader.next()
    expect((await held()) - before).toBeLessThan(8)
    await reader.return?.(undefined)
    await cache.drain()
  },
)
