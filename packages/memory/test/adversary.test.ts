import { createEntry } from '@flow-cache/core'
import { fakeClock, seededRandom } from '@flow-cache/core/testing'
import { memoryStore, type Policy } from '@flow-cache/memory'
import { describe, expect, it } from 'vitest'

const size = 500
const bytes = 1_000_000
const requests = 60_000

/** The hits of a trace, in percent of its requests, in points. `sizeOf` a key: the room is in bytes, and that is what its value takes. */
function hitRatio(
  policy: Policy,
  keyAt: (i: number) => string,
  seed: number,
  sizeOf?: (key: string) => number,
): number {
  const clock = fakeClock()
  const store = memoryStore({
    policy,
    ...(sizeOf === undefined
      ? { maxEntries: size }
      : { maxBytes: bytes, sizeOf: (_value: unknown, key: string) => sizeOf(key) }),
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

/** Keys of values of `large` bytes begin with "large", and others take 1,000 bytes. */
interface Weighted {
  readonly large: number
  readonly keysOf: (random: () => number) => (i: number) => string
}

/** A share of the requests is for so many keys of large values, the others come in a loop. */
const beside = (loop: number, keys: number, share: number): Weighted['keysOf'] => {
  return (random) => (i) => (random() < share ? `large:${Math.floor(random() * keys)}` : `small:${i % loop}`)
}

/** Small keys, of which some are asked for far more often. */
const skewed = (random: () => number): string => `small:${Math.floor(random() ** 4 * 5_000)}`

const weighted: Readonly<Record<string, Weighted>> = {
  'loops over small values beside two of a third of the room': {
    large: 300_000,
    keysOf: beside(1_500, 2, 0.1),
  },
  'loops over many small values beside three of a fifth': { large: 200_000, keysOf: beside(3_000, 3, 0.1) },
  'loops over small values beside three of a fifth': { large: 200_000, keysOf: beside(1_500, 3, 0.1) },
  'loops over small values beside seven of a tenth': { large: 100_000, keysOf: beside(1_500, 7, 0.1) },
  'moves the large values that are asked for, beside a loop': {
    large: 200_000,
    keysOf: (random) => {
      let small = 0
      return (i) =>
        random() < 0.2
          ? `large:${Math.floor(i / 5_000)}:${Math.floor(random() * 3)}`
          : `small:${small++ % 1_500}`
    },
  },
  'asks for large values often, beside small ones that differ': {
    large: 300_000,
    keysOf: (random) => () => (random() < 0.1 ? `large:${Math.floor(random() * 2)}` : skewed(random)),
  },
  'asks for large values once, beside small ones that differ': {
    large: 300_000,
    keysOf: (random) => (i) => (i % 20 === 0 ? `large:${i}` : skewed(random)),
  },
  'asks for large values often, beside small ones once': {
    large: 200_000,
    keysOf: (random) => (i) => (random() < 0.1 ? `large:${Math.floor(random() * 4)}` : `small:${i}`),
  },
}

describe('nor with values of unequal sizes', () => {
  for (const [name, { large, keysOf }] of Object.entries(weighted)) {
    const sizeOf = (key: string): number => (key.startsWith('large') ? large : 1_000)
    it(`who ${name} (ten draws of the hash)`, () => {
      const lru = hitRatio('lru', keysOf(seededRandom(1)), 1, sizeOf)
      for (let draw = 1; draw <= 10; draw++) {
        expect(hitRatio('adaptive', keysOf(seededRandom(1)), draw, sizeOf) - lru).toBeGreaterThan(-1)
      }
    })
  }
})

it('does not empty the room for a large value that is the next to go', () => {
  const keysOf = (): ((i: number) => string) => (i) => (i % 20 === 0 ? `large:${i}` : `small:${i % 900}`)
  const sizeOf = (key: string): number => (key.startsWith('large') ? 500_000 : 1_000)
  // 900 small values fit, and each large one pushes half of them out of an LRU.
  expect(hitRatio('lru', keysOf(), 1, sizeOf)).toBeLessThan(1)
  for (let draw = 1; draw <= 10; draw++)
    expect(hitRatio('adaptive', keysOf(), draw, sizeOf)).toBeGreaterThan(70)
})

it('does not pin what is no longer asked for: a new working set has all the room soon', () => {
  const hits = (policy: Policy): number => {
    const random = seededRandom(5)
    const old = (i: number): string => `old:${i % size}`
    return hitRatio(policy, (i) => (i < requests / 2 ? old(i) : `new:${Math.floor(random() * size)}`), 1)
  }
  expect(hits('adaptive') - hits('lru')).toBeGreaterThan(-1)
})
