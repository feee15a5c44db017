import { seededRandom } from '@flow-cache/core/testing'
import fc from 'fast-check'
import { LRUCache } from 'lru-cache'
import { describe, expect, it } from 'vitest'
import { type TickingClock, tickingClock } from '../test/ticking-clock.js'
import { keyHash } from './key-hash.js'
import { mostFollowed, ReuseDistances } from './reuse-distances.js'

/** Reads keys as a recorder does, at 10,000 a second. */
class Reader {
  readonly clock: TickingClock = tickingClock()
  readonly distances: ReuseDistances = new ReuseDistances(this.clock)
  reads = 0

  read(key: string, namespace = ''): void {
    this.reads++
    this.clock.pass(0.1)
    this.distances.enter(namespace)
    const followed = this.distances.here.get(key)
    if (followed === undefined) this.distances.offer(key, keyHash(key, namespace, 7), true)
    else this.distances.read(followed)
  }

  write(key: string): void {
    const followed = this.distances.here.get(key)
    if (followed === undefined) this.distances.offer(key, keyHash(key, '', 7), false)
    else this.distances.write(followed)
  }

  hitRatio(entries: number): number {
    return this.distances.hitRatio(entries, this.reads)
  }
}

/** What an LRU of so many entries answers. */
function simulate(keys: readonly string[], entries: number): number {
  const cache = new LRUCache<string, true>({ max: entries })
  let hits = 0
  for (const key of keys) {
    if (cache.get(key) === true) hits++
    else cache.set(key, true)
  }
  return keys.length === 0 ? 0 : hits / keys.length
}

/** Keys by Zipf's law. */
function zipf(keys: number, reads: number, seed: number): string[] {
  const random = seededRandom(seed)
  return Array.from({ length: reads }, () => `key:${Math.floor(keys ** random())}`)
}

describe('with few keys', () => {
  it('says exactly what an LRU would answer', () => {
    const stream = fc.array(fc.nat(20), { maxLength: 300 })
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 30 }), (given, entries) => {
        const reader = new Reader()
        const keys = given.map((n) => `k${n}`)
        for (const key of keys) reader.read(key)
        expect(reader.hitRatio(entries)).toBeCloseTo(simulate(keys, entries), 9)
      }),
    )
  })

  it('goes on when its times are used up', () => {
    const reader = new Reader()
    const keys = Array.from({ length: 5 * mostFollowed }, (_, i) => `k${i % 50}`)
    for (const key of keys) reader.read(key)
    for (const entries of [10, 49, 50])
      expect(reader.hitRatio(entries)).toBeCloseTo(simulate(keys, entries), 9)
    expect(reader.distances).toMatchObject({ share: 1, keys: 50 })
  })

  it('keeps namespaces apart', () => {
    const reader = new Reader()
    for (const namespace of ['a', 'b', 'a', 'b']) reader.read('k', namespace)
    expect([1, 2].map((entries) => reader.hitRatio(entries))).toEqual([0, 0.5])
  })

  it('takes a write for what brings a key in, and a delete for what takes it out, of every size', () => {
    const reader = new Reader()
    reader.write('a')
    reader.read('a')
    expect(reader.hitRatio(1)).toBe(1)
    reader.write('a')
    reader.distances.forget('a')
    reader.distances.forget('never seen')
    reader.read('a')
    expect(reader.hitRatio(1)).toBe(0.5)
  })

  it('is 0 before the first read', () => {
    expect(new Reader().hitRatio(10)).toBe(0)
  })
})

describe('with many keys', () => {
  it.each([
    ['a long tail', zipf(200_000, 400_000, 1)],
    ['a loop', Array.from({ length: 200_000 }, (_, i) => `k${i % 40_000}`)],
    ['a scan', Array.from({ length: 60_000 }, (_, i) => `k${i}`)],
  ])('is within two points of an LRU, for %s', (_, keys) => {
    const reader = new Reader()
    for (const key of keys) reader.read(key)
    expect(reader.distances.share).toBeLessThan(1)
    const sizes = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]
    const errors = sizes.map((entries) => Math.abs(reader.hitRatio(entries) - simulate(keys, entries)))
    expect(errors.reduce((a, b) => a + b) / sizes.length).toBeLessThan(0.02)
  })

  it('knows about how many there are', () => {
    const reader = new Reader()
    for (let i = 0; i < 100_000; i++) reader.read(`k${i}`)
    expect(reader.distances.keys).toBeGreaterThan(93_000)
    expect(reader.distances.keys).toBeLessThan(107_000)
  })

  it('has only few maps for namespaces that come and go', () => {
    const reader = new Reader()
    for (let i = 0; i < 50_000; i++) reader.read('k', `tenant ${i}`)
    expect(reader.distances.keys).toBeGreaterThan(45_000)
  })
})

it('follows fewer keys where reads are too many for it, and forgets nothing of what it has learned', () => {
  const reader = new Reader()
  const keys = zipf(2_000, 150_000, 3)
  for (const key of keys) reader.read(key)
  const before = reader.hitRatio(200)
  const { clock, distances } = reader
  const frozen = clock.now()
  for (let round = 0; round < 10; round++) {
    for (const key of keys) {
      reader.reads++
      const followed = distances.here.get(key)
      if (followed !== undefined) distances.read(followed)
    }
  }
  expect(clock.now()).toBe(frozen)
  expect(distances.share).toBeLessThan(0.05)
  expect(Math.abs(reader.hitRatio(200) - before)).toBeLessThan(0.1)
})
