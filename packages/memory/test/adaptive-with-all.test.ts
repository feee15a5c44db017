import { type FakeClock, fakeClock, seededRandom } from '@flow-cache/core/testing'
import { InMemoryCache, type InMemoryCacheOptions, type Policy } from '@flow-cache/memory'
import { describe, expect, it } from 'vitest'

const requests = 30_000
const room = 300

/** What comes between the requests, and how the cache is bounded. */
interface Surroundings {
  readonly options: InMemoryCacheOptions
  readonly ttlOf?: (key: number) => number
  /** Before each request. */
  readonly between?: (
    cache: InMemoryCache,
    i: number,
    random: () => number,
    clock: FakeClock,
  ) => Promise<unknown>
  readonly tagged?: boolean
  /** How many points more than LRU it has at least. Default: 0. */
  readonly lead?: number
}

const surroundings: Readonly<Record<string, Surroundings>> = {
  'values of 1 to 100 bytes': {
    options: { maxBytes: 50 * room, sizeOf: (value) => ((value as number) % 100) + 1 },
  },
  'values of which a few take a tenth of the room': {
    options: { maxBytes: 50 * room, sizeOf: (value) => ((value as number) % 40 === 0 ? 5 * room : 20) },
  },
  'entries that end after 100 to 3,000 requests': {
    options: { maxEntries: room },
    ttlOf: (key) => 100 + (key % 30) * 100,
    between: async (_cache, _i, _random, clock) => clock.advance(1),
  },
  'entries of a loop that ended when it comes to them again': {
    options: { maxEntries: room },
    ttlOf: (key) => (key < 3000 ? Infinity : 500),
    between: async (_cache, _i, _random, clock) => clock.advance(1),
  },
  'deletes of every fifth key asked for': {
    options: { maxEntries: room },
    between: async (cache, i, random) =>
      i % 5 === 0 && cache.delete(`key:${Math.floor(random() ** 3 * 3000)}`),
  },
  'a tag of a tenth of the keys that is invalidated again and again': {
    options: { maxEntries: room },
    tagged: true,
    // Neither policy hears that a tag was invalidated before it comes to an entry.
    lead: -0.5,
    between: async (cache, i) => i % 50 === 0 && cache.invalidateTags([`tag:${(i / 50) % 10}`]),
  },
  'a namespace that is cleared again and again': {
    options: { maxEntries: room },
    between: async (cache, i) => {
      const users = cache.namespace('users')
      await users.set(`${i % 100}`, i)
      if (i % 1000 === 0) await users.clear()
    },
  },
}

/** Hits in percent, half of the requests for keys that differ in how often they are asked for, half of them a loop. */
async function hitRatio(policy: Policy, seed: number, around: Surroundings): Promise<number> {
  const clock = fakeClock()
  const random = seededRandom(seed)
  await using cache = new InMemoryCache({
    ...around.options,
    policy,
    clock,
    random: seededRandom(seed + 100),
    sweepInterval: Infinity,
  })
  const chance = seededRandom(seed + 200)
  let hits = 0
  for (let i = 0; i < requests; i++) {
    await around.between?.(cache, i, chance, clock)
    const key = random() < 0.5 ? Math.floor(random() ** 3 * 3000) : 3000 + (i % 900)
    const name = `key:${key}`
    const value = await cache.get(name)
    if (value === undefined) {
      await cache.set(name, key, {
        ttl: around.ttlOf?.(key) ?? Infinity,
        ...(around.tagged === true && { tags: [`tag:${key % 10}`] }),
      })
    } else {
      expect(value).toBe(key)
      hits++
    }
  }
  return (100 * hits) / requests
}

describe('the adaptive policy does at least about as well as LRU with', () => {
  for (const [name, around] of Object.entries(surroundings)) {
    it.each([1, 2])(`${name} (seed %i)`, async (seed) => {
      const lru = await hitRatio('lru', seed, around)
      expect(await hitRatio('adaptive', seed, around)).toBeGreaterThan(lru + (around.lead ?? 0))
    })
  }
})
