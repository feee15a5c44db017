import { createEntry } from '@flow-cache/core'
import { fakeClock, seededRandom } from '@flow-cache/core/testing'
import { memoryStore, type Policy } from '@flow-cache/memory'
import { describe, expect, it } from 'vitest'

const size = 500
const requests = 60_000

/** The hits of a trace, in percent of its requests, in points. */
function hitRatio(policy: Policy, keyAt: (i: number) => string, seed: number): number {
  const clock = fakeClock()
  const store = memoryStore({
    policy,
    maxEntries: size,
    clock,
    random: seededRandom(seed),
    sweepInterval: Infinity,
  })
  const entry = createEntry({ value: 1, createdAt: clock.now(), ttl: Infinity })
  let hits = 0
  for (let i = 0; i < requests; i++) {
    const key = keyAt(i)
    if (store.local!.get(key) === undefined) void store.set(key, entry)
    else hits++
  }
  void store.close()
  return (100 * hits) / requests
}

/** Who makes the requests, and knows the code but not what the process has drawn. */
const adversaries: Readonly<Record<string, (random: () => number) => (i: number) => string>> = {
  'builds credit for keys, then never asks for them again': (random) => (i) =>
    i < requests / 3
      ? `old:${i % (size - 1)}`
      : `new:${i % 1000 < 500 ? i : Math.floor(random() * size * 0.9)}`,
  'alternates what scans punish with what recency rewards': (random) => (i) => {
    const phase = Math.floor(i / (3 * size))
    return phase % 2 === 0 ? `loop:${i % (2 * size)}` : `hot:${phase}:${Math.floor(random() * size * 0.95)}`
  },
  'moves the hot set as soon as it is learned': (random) => (i) =>
    `hot:${Math.floor(i / (2 * size))}:${Math.floor(random() * size)}`,
  'swaps a hot set that fits for another once it is all held': (random) => (i) =>
    `hot:${Math.floor(i / (14 * size))}:${Math.floor(random() * size)}`,
  'asks twice for what it never wants again, beside a working set that just fits': (random) => (i) =>
    i % 4 < 2 ? `junk:${i >> 2}` : `work:${Math.floor(random() * size * 0.6)}`,
  'comes back right after it was forgotten': () => (i) =>
    i % 3 === 0 ? `again:${i % (5 * size)}` : `now:${Math.floor(i / 30)}`,
  'sends keys that share what simple hashes keep': (random) => (i) =>
    // "Aa" and "BB" are one to a hash with the multiplier 31, in any number and order.
    random() < 0.5
      ? Array.from({ length: 16 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join('')
      : `user:${Math.floor(random() * random() * 2 * size)}`,
}

describe('an adversary does not push the adaptive policy more than a point below LRU', () => {
  for (const [name, keysOf] of Object.entries(adversaries)) {
    it.each([1, 2, 3])(`who ${name} (seed %i)`, (seed) => {
      const lru = hitRatio('lru', keysOf(seededRandom(seed)), seed)
      const adaptive = hitRatio('adaptive', keysOf(seededRandom(seed)), seed)
      expect(adaptive - lru).toBeGreaterThan(-1)
    })
  }
})

it('does not pin what is no longer asked for: a new working set has all the room soon', () => {
  const hits = (policy: Policy): number => {
    const random = seededRandom(5)
    const old = (i: number): string => `old:${i % size}`
    return hitRatio(policy, (i) => (i < requests / 2 ? old(i) : `new:${Math.floor(random() * size)}`), 1)
  }
  expect(hits('adaptive') - hits('lru')).toBeGreaterThan(-1)
})
