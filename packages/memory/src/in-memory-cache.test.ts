import { Cache } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate } from '@flow-cache/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { InMemoryCache, type InMemoryCacheOptions } from './in-memory-cache.js'

function setUp(options: InMemoryCacheOptions = {}): { clock: FakeClock; cache: InMemoryCache } {
  const clock = fakeClock()
  return { clock, cache: new InMemoryCache({ clock, ...options }) }
}

describe('InMemoryCache', () => {
  it('is a Cache over this process’s memory', async () => {
    const { cache } = setUp()
    expect(cache).toBeInstanceOf(Cache)
    await cache.set('a', 1)
    expect(await cache.getEntry('a')).toMatchObject({ value: 1, tier: 'memory' })
    expect(cache.peek('a')).toBe(1)
  })

  it('needs no options', async () => {
    await using cache = new InMemoryCache()
    expect(await cache.getOrSet('a', () => 1)).toBe(1)
  })

  it('a hundred readers of one missing key cost one load', async () => {
    const { cache } = setUp()
    const { wait, open, arrived } = gate()
    const load = vi.fn(async () => {
      await wait()
      return 'v'
    })
    const readers = Array.from({ length: 100 }, () => cache.getOrSet('a', load))
    await arrived
    open()
    expect(await Promise.all(readers)).toEqual(readers.map(() => 'v'))
    expect(await cache.getOrSet('a', load)).toBe('v')
    expect(load).toHaveBeenCalledTimes(1)
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 100, coalesced: 99 })
  })

  it.each([[undefined], [null], [Number.NaN], [-0], [0], [''], [false]])(
    'a loaded %s is kept',
    async (value) => {
      const { cache } = setUp()
      const load = vi.fn(() => value)
      expect(await cache.getOrSet<unknown>('a', load)).toBe(value)
      expect(await cache.getOrSet<unknown>('a', load)).toBe(value)
      expect(await cache.has('a')).toBe(true)
      expect(load).toHaveBeenCalledTimes(1)
    },
  )

  it('shares its clock with its store', async () => {
    const { cache, clock } = setUp({ ttl: '1s' })
    await cache.set('a', 1)
    await clock.advance(999)
    expect(cache.peek('a')).toBe(1)
    await clock.advance(1)
    expect(cache.peek('a')).toBeUndefined()
  })

  it('is bounded, and tells of what it evicts', async () => {
    const { cache } = setUp({ maxEntries: 2 })
    const told: string[] = []
    cache.on('evict', ({ namespace, key }) => told.push(`${namespace}:${key}`))
    const users = cache.namespace('users')
    await users.set('a', 1)
    await cache.set('b', 1)
    await users.get('a')
    await cache.setMany({ c: 1, d: 1 })
    expect(told).toEqual([':b', 'users:a'])
    expect(cache.stats()).toMatchObject({ evictions: 2, sets: 4 })
  })

  it('who is told of an eviction may use the cache', async () => {
    const { cache } = setUp({ maxEntries: 2 })
    cache.on('evict', ({ key }) => {
      if (key === 'a') void cache.set('again', 1)
    })
    await cache.set('a', 1)
    await cache.set('b', 1)
    await cache.set('c', 1)
    expect(['a', 'b', 'c', 'again'].filter((key) => cache.peek(key))).toEqual(['c', 'again'])
  })

  it('a value that sizeOf cannot measure reaches whoever sets it, and the old one goes', async () => {
    const { cache } = setUp({ maxBytes: 100, sizeOf: (value) => value as number })
    await cache.set('a', 1)
    await expect(cache.set('a', Number.NaN)).rejects.toMatchObject({ code: 'ERR_VALUE' })
    expect(await cache.has('a')).toBe(false)
  })

  it('the space of a cleared namespace and of an invalidated tag comes back', async () => {
    const { cache, clock } = setUp({ ttl: Infinity, sweepInterval: '1s' })
    const users = cache.namespace('users')
    for (let i = 0; i < 10; i++) await users.set(`${i}`, i)
    for (let i = 0; i < 10; i++) await cache.set(`${i}`, i, { tags: ['numbers'] })
    await users.clear()
    await cache.invalidateTags(['numbers'])
    expect(await users.get('1')).toBeUndefined()
    expect(await cache.get('1')).toBeUndefined()
    expect(clock.pending).toBe(1)
    await clock.advance(1_000)
    // Its timer runs only while there are entries.
    expect(clock.pending).toBe(0)
  })

  it('a pattern is cleared, however many keys there are', async () => {
    const { cache } = setUp()
    await cache.setMany(
      Array.from({ length: 2_000 }, (_, i): [string, number] => [`${i % 2 === 0 ? 'even' : 'odd'}:${i}`, i]),
    )
    expect(await cache.clearPattern('even:*')).toBe(1_000)
    expect(cache.peek('even:0')).toBeUndefined()
    expect(cache.peek('odd:1')).toBe(1)
  })

  it('leaves no timer behind once closed', async () => {
    const { cache, clock } = setUp()
    await cache.set('a', 1)
    expect(clock.pending).toBe(1)
    await cache.close()
    expect(clock.pending).toBe(0)
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  describe('copy', () => {
    interface Row {
      n: number
      deep: { at: Date; list: number[] }
    }
    const row = (): Row => ({ n: 1, deep: { at: new Date(1), list: [1] } })

    /** The object a loader made, and what the loading caller, one who joined it and one who came later got. */
    async function answers(
      copy: 'share' | 'clone' | 'freeze',
    ): Promise<{ made: Row; all: Row[]; cache: InMemoryCache }> {
      const { cache } = setUp({ copy })
      const made = row()
      const { wait, open, arrived } = gate()
      const load = async (): Promise<Row> => {
        await wait()
        return made
      }
      const readers = [cache.getOrSet('a', load), cache.getOrSet('a', load)]
      await arrived
      open()
      const all = await Promise.all(readers)
      all.push(await cache.getOrSet('a', load), (await cache.get<Row>('a'))!, cache.peek<Row>('a')!)
      return { made, all, cache }
    }

    it('share: one object for everyone', async () => {
      const { made, all } = await answers('share')
      for (const got of all) expect(got).toBe(made)
    })

    it('clone: everyone has an object of their own, and nobody’s changes reach anybody', async () => {
      const { made, all, cache } = await answers('clone')
      expect(new Set([made, ...all]).size).toBe(all.length + 1)
      for (const mine of [made, ...all]) {
        mine.n = 2
        mine.deep.list.push(2)
        mine.deep.at.setTime(2)
      }
      expect(await cache.get('a')).toEqual(row())
      const own = row()
      await cache.set('b', own)
      own.deep.list.push(2)
      expect(await cache.get('b')).toEqual(row())
    })

    it('freeze: one object for everyone, which nobody can change', async () => {
      const { made, all } = await answers('freeze')
      for (const got of all) expect(got).toBe(made)
      expect(() => made.deep.list.push(2)).toThrow(TypeError)
      expect(made).toEqual(row())
    })
  })

  it.each<[message: string, options: unknown]>([
    ["unknown option 'maxSize'", { maxSize: 1 }],
    ['maxEntries must be a whole number', { maxEntries: 0 }],
    ["policy must be 'lru' or 'adaptive'", { policy: 'fifo' }],
    ['sizeOf needs a finite maxBytes', { sizeOf: () => 1 }],
    ['ttl must not be negative', { ttl: -1 }],
    ['clock.now must be a function', { clock: {} }],
    ['InMemoryCache makes its own store', { store: {} }],
  ])('an error says: %s', (message, options) => {
    expect(() => new InMemoryCache(options as InMemoryCacheOptions)).toThrow(message)
  })
})
