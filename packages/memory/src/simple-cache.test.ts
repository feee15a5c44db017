import { fakeClock } from '@flow-cache/core/testing'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { SimpleCache, type SimpleCacheOptions } from './simple-cache.js'

const keysOf = (cache: SimpleCache): string => [...cache.keys()].join('')

describe('SimpleCache', () => {
  it('gives back what was set, without a promise', () => {
    const cache = new SimpleCache<{ name: string }>()
    const ada = { name: 'Ada' }
    expect(cache.get('a')).toBeUndefined()
    expect(cache.set('a', ada)).toBe(cache)
    expect(cache.get('a')).toBe(ada)
    expect(cache.delete('a')).toBe(true)
    expect(cache.delete('a')).toBe(false)
    expect(cache.get('a')).toBeUndefined()
  })

  it.each([[undefined], [null], [Number.NaN], [-0], [''], [false]])('a cached %s is a hit', (value) => {
    const cache = new SimpleCache()
    cache.set('a', value)
    const make = vi.fn()
    expect(cache.getOrSet('a', make)).toBe(value)
    expect(cache.has('a')).toBe(true)
    expect(make).not.toHaveBeenCalled()
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 0 })
  })

  it('makes what is missing once, and keeps it', () => {
    const cache = new SimpleCache<string>()
    const make = vi.fn((key: string) => `made ${key}`)
    expect(cache.getOrSet('a', make)).toBe('made a')
    expect(cache.getOrSet('a', make)).toBe('made a')
    expect(make).toHaveBeenCalledExactlyOnceWith('a')
  })

  it('what fails to be made is not kept, and tried again', () => {
    const cache = new SimpleCache<number>()
    const make = vi.fn(() => 2)
    make.mockImplementationOnce(() => {
      throw new Error('not today')
    })
    expect(() => cache.getOrSet('a', make)).toThrow('not today')
    expect(cache.has('a')).toBe(false)
    expect(cache.getOrSet('a', make)).toBe(2)
  })

  it('the entry used longest ago goes first; has is no use', () => {
    const cache = new SimpleCache({ maxSize: 3 })
    for (const key of 'abc') cache.set(key, 1)
    cache.get('a')
    cache.has('b')
    cache.set('d', 1)
    expect(keysOf(cache)).toBe('acd')
    expect(cache.size).toBe(3)
  })

  it('holds 1,000 entries where nothing is said', () => {
    const cache = new SimpleCache()
    for (let i = 0; i < 1_234; i++) cache.set(`${i}`, i)
    expect(cache.size).toBe(1_000)
    expect(cache.stats()).toMatchObject({ evictions: 234, sets: 1_234, maxSize: 1_000 })
  })

  it('an entry is there for its ttl and not a millisecond longer', async () => {
    const clock = fakeClock()
    const cache = new SimpleCache({ ttl: '1s', clock })
    cache.set('a', 1)
    cache.set('b', 1, '2s')
    cache.set('c', 1, Infinity)
    await clock.advance(999)
    expect(cache.get('a')).toBe(1)
    await clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
    expect(keysOf(cache)).toBe('bc')
    await clock.advance(1_000)
    expect(cache.has('b')).toBe(false)
    expect(cache.delete('b')).toBe(false)
    await clock.advance(1e12)
    expect(cache.get('c')).toBe(1)
  })

  it('where nothing is said, entries do not end, and time is not asked', () => {
    const clock = { ...fakeClock(), now: vi.fn(() => 0) }
    const cache = new SimpleCache({ clock })
    cache.set('a', 1)
    expect(cache.get('a')).toBe(1)
    expect(cache.has('a')).toBe(true)
    expect(clock.now).not.toHaveBeenCalled()
  })

  it('with a ttl of 0 nothing is kept, and what was there goes', () => {
    const cache = new SimpleCache()
    cache.set('a', 1)
    cache.set('a', 2, 0)
    expect(cache.has('a')).toBe(false)
    expect(new SimpleCache({ ttl: 0 }).set('a', 1).size).toBe(0)
    expect(cache.getOrSet('b', () => 3, 0)).toBe(3)
    expect(cache.size).toBe(0)
  })

  it('an expired entry that makes room is no eviction', async () => {
    const clock = fakeClock()
    const cache = new SimpleCache({ maxSize: 1, ttl: 10, clock })
    cache.set('a', 1)
    await clock.advance(10)
    cache.set('b', 1)
    expect(cache.stats().evictions).toBe(0)
    cache.set('c', 1)
    expect(cache.stats().evictions).toBe(1)
  })

  it('sets no timer, so there is nothing to close', async () => {
    const clock = fakeClock()
    const cache = new SimpleCache({ ttl: 10, clock })
    cache.set('a', 1)
    await clock.advance(100)
    cache.get('a')
    expect(clock.pending).toBe(0)
  })

  it('counts every read as a hit or a miss', () => {
    const cache = new SimpleCache()
    expect(cache.stats().hitRatio).toBe(0)
    cache.get('a')
    cache.set('a', 1)
    cache.get('a')
    cache.getOrSet('a', () => 2)
    cache.getOrSet('b', () => 2)
    cache.has('c')
    cache.delete('c')
    cache.delete('a')
    expect(cache.stats()).toEqual({
      hits: 2,
      misses: 2,
      sets: 2,
      deletes: 1,
      evictions: 0,
      size: 1,
      maxSize: 1_000,
      hitRatio: 0.5,
    })
    cache.clear()
    expect(cache.stats()).toMatchObject({ hits: 2, size: 0 })
  })

  it.each(['share', 'freeze'] as const)('with copy %s there is one object for everyone', (copy) => {
    const cache = new SimpleCache<{ list: number[] }>({ copy })
    const made = { list: [1] }
    expect(cache.getOrSet('a', () => made)).toBe(made)
    expect(cache.get('a')).toBe(made)
    expect(new Map(cache.entries()).get('a')).toBe(made)
    expect(Object.isFrozen(made.list)).toBe(copy === 'freeze')
  })

  it('with copy clone everyone has an object of their own', () => {
    const cache = new SimpleCache<{ list: number[] }>({ copy: 'clone' })
    const made = { list: [1] }
    const all = [made, cache.getOrSet('a', () => made), cache.getOrSet('a', () => made), cache.get('a')!]
    all.push(new Map(cache.entries()).get('a')!)
    expect(new Set(all).size).toBe(all.length)
    for (const mine of all) mine.list.push(2)
    expect(cache.get('a')).toEqual({ list: [1] })
  })

  it('with copy clone a value that cannot be copied is refused, and changes nothing', () => {
    const cache = new SimpleCache({ copy: 'clone' })
    cache.set('a', 1)
    expect(() => cache.set('a', { at: [new URL('a:b')] })).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE' }),
    )
    expect(cache.get('a')).toBe(1)
  })

  it('can be used and changed while it is walked through', () => {
    const cache = new SimpleCache({ maxSize: 10 })
    for (const key of 'abcdef') cache.set(key, key)
    const seen: string[] = []
    for (const [key, value] of cache.entries()) {
      seen.push(key)
      expect(value).toBe(key)
      cache.get(key)
      if (key === 'b') cache.delete('b')
      if (key === 'c') cache.delete('d')
      if (key === 'e') cache.set('g', 'g')
    }
    expect(seen.join('')).toBe('abcefg')
  })

  it.each([[''], [undefined], [null], [1], [{}], [['a']]])('the key %j is a TypeError everywhere', (key) => {
    const cache = new SimpleCache()
    const bad = key as string
    expect(() => cache.get(bad)).toThrow(TypeError)
    expect(() => cache.has(bad)).toThrow('a key must be a non-empty string')
    expect(() => cache.set(bad, 1)).toThrow(TypeError)
    expect(() => cache.delete(bad)).toThrow(TypeError)
    expect(() => cache.getOrSet(bad, () => 1)).toThrow(TypeError)
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, sets: 0 })
  })

  it('a ttl that is none is refused, and changes nothing', () => {
    const cache = new SimpleCache()
    cache.set('a', 1)
    expect(() => cache.set('a', 2, -1)).toThrow(RangeError)
    expect(() => cache.set('a', 2, Number.NaN)).toThrow(RangeError)
    expect(() => cache.set('a', 2, 'soon' as '1s')).toThrow(TypeError)
    expect(cache.get('a')).toBe(1)
    expect(cache.stats().sets).toBe(1)
  })

  it.each<[message: string, options: unknown]>([
    ['maxSize must be a whole number from 1 to 8388608, got 0', { maxSize: 0 }],
    ['maxSize must be a whole number from 1 to 8388608, got 2.5', { maxSize: 2.5 }],
    ['maxSize must be finite', { maxSize: Infinity }],
    ["maxSize must be a number, got 'x'", { maxSize: 'x' }],
    ['ttl must not be negative or NaN, got -1', { ttl: -1 }],
    ["copy must be 'share' or 'clone' or 'freeze', got 'deep'", { copy: 'deep' }],
    ['clock.now must be a function, got undefined', { clock: {} }],
    ["unknown option 'max' in SimpleCache; known are maxSize, ttl, copy, clock", { max: 1 }],
  ])('an error says: %s', (message, options) => {
    expect(() => new SimpleCache(options as SimpleCacheOptions)).toThrow(message)
  })

  it('does what a plain list would do, whatever is done', () => {
    const calls = ['get', 'get', 'set', 'set', 'getOrSet', 'has', 'delete', 'wait', 'clear'] as const
    const step = fc.record({
      call: fc.constantFrom(...calls),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      ttl: fc.constantFrom(undefined, 0, 1, 20, 80, Infinity),
    })
    type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
    const run = (maxSize: number, steps: readonly Step[]) => {
      let now = 1_000
      const cache = new SimpleCache<number>({ maxSize, ttl: 50, clock: { ...fakeClock(), now: () => now } })
      /** The entries, the one used longest ago first. */
      let list: { key: string; value: number; expiresAt: number }[] = []
      let evictions = 0
      const isLive = ({ expiresAt }: { expiresAt: number }): boolean => expiresAt > now
      const without = (key: string) => list.filter((entry) => entry.key !== key)
      const find = (key: string) => list.find((entry) => entry.key === key && isLive(entry))
      const read = (key: string): number | undefined => {
        const entry = find(key)
        list = entry ? [...without(key), entry] : without(key)
        return entry?.value
      }
      const write = (key: string, value: number, ttl = 50): void => {
        list = without(key)
        if (ttl === 0) return
        if (list.length === maxSize && isLive(list.shift()!)) evictions++
        list.push({ key, value, expiresAt: now + ttl })
      }
      steps.forEach(({ call, key, ttl }, i) => {
        if (call === 'get') expect(cache.get(key)).toBe(read(key))
        else if (call === 'has') expect(cache.has(key)).toBe(find(key) !== undefined)
        else if (call === 'set') {
          cache.set(key, i, ttl)
          write(key, i, ttl)
        } else if (call === 'getOrSet') {
          const value = read(key)
          if (value === undefined) write(key, i, ttl)
          expect(cache.getOrSet(key, () => i, ttl)).toBe(value ?? i)
        } else if (call === 'delete') {
          expect(cache.delete(key)).toBe(find(key) !== undefined)
          list = without(key)
        } else if (call === 'clear') {
          cache.clear()
          list = []
        } else now += 15
        expect(cache.size).toBe(list.length)
      })
      const live = list.filter(isLive).map(({ key, value }) => [key, value] as const)
      expect(new Map(cache.entries())).toEqual(new Map(live))
      expect(cache.stats().evictions).toBe(evictions)
    }
    const some = fc.array(step, { maxLength: 100, size: 'max' })
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), some, run), { seed: 1, numRuns: 500 })
  })
})
