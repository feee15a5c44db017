import { randomUUID } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import { casesFor, type FakeClock, fakeClock, mapStore, runModel } from '@flow-cache/core/testing'
import { type KeyvAdapter, keyvStore } from '@flow-cache/keyv'
import { redisUrl } from '@flow-cache/servers/vitest'
import { KeyvMemoryAdapter } from 'keyv-6'
import { describe, it } from 'vitest'

/** An adapter with nothing but what Keyv demands, and `iterator`. */
function smallAdapter(): KeyvAdapter {
  const map = new Map<string, string>()
  return {
    get: async (key) => map.get(key),
    set: async (key, text) => void map.set(key, text),
    delete: async (key) => map.delete(key),
    clear: async () => map.clear(),
    async *iterator() {
      yield* map
    },
  }
}

const adapters: readonly (readonly [string, () => KeyvAdapter])[] = [
  ['a Map', () => new Map<string, string>()],
  ['the least an adapter can be', smallAdapter],
  ['an adapter of Keyv 6, which takes instants', () => new KeyvMemoryAdapter(new Map())],
  ['@keyv/redis', () => new KeyvRedis(redisUrl())],
]

describe.each(adapters)('a store over %s', (_, adapter) => {
  const open = (clock: FakeClock) => keyvStore(adapter(), { clock, namespace: randomUUID() })
  const sample = open(fakeClock())
  for (const { name, run } of casesFor(sample)) {
    it(name, async () => {
      const clock = fakeClock(Date.now())
      const store = open(clock)
      try {
        await run({ store, clock })
      } finally {
        await store.close()
      }
    })
  }

  it.each([1, 2, 3])('agrees with a map under random operations (seed %i)', async (seed) => {
    const clock = fakeClock(Date.now())
    const store = open(clock)
    try {
      await runModel({ store, reference: mapStore(clock), clock, seed, steps: 300 })
    } finally {
      await store.close()
    }
  })
})
