import { CacheError, type Clock, createEntry, type Entry, type Store } from '@flow-cache/core'
import { casesFor, fakeClock, mapStore, runModel, seededRandom, settle } from '@flow-cache/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { memoryStore } from './memory-store.js'
import type { MemoryStoreOptions } from './options.js'

describe.each(['lru', 'adaptive'] as const)("memoryStore with policy '%s'", (policy) => {
  const open = (options?: MemoryStoreOptions): Store =>
    memoryStore(options === null ? options : { policy, random: seededRandom(1), ...options })

  function setUp(options: MemoryStoreOptions = {}) {
    const clock = fakeClock()
    const store = open({ clock, ...options })
    const put = (key: string, value: unknown = key, ttl = 60_000): unknown =>
      store.set(key, createEntry({ value, createdAt: clock.now(), ttl }))
    /** The keys among `a` to `h` that are there, without using them. */
    const held = (): string =>
      'abcdefgh'
        .split('')
        .filter((key) => store.local!.peek(key))
        .join('')
    return { clock, store, put, held, get: store.local!.get }
  }

  async function listed(store: Store, prefix = '', glob?: string): Promise<string[]> {
    const keys: string[] = []
    for await (const batch of store.keys!.scan(prefix, glob)) keys.push(...batch)
    return keys
  }

  const thrownBy = (call: () => unknown): unknown => {
    try {
      call()
    } catch (error) {
      return error
    }
    return undefined
  }

  describe('it keeps the Store contract', () => {
    for (const { name, run } of casesFor(open())) {
      it(name, () => {
        const clock = fakeClock()
        return run({ clock, store: open({ clock }) })
      })
    }

    it.each([1, 2, 3, 4, 5, 6])('it agrees with a plain map under random operations (seed %i)', (seed) => {
      const clock = fakeClock()
      const maxBytes = seed % 2 === 0 ? 1_000_000 : undefined
      const store = open({ clock, maxBytes, sweepInterval: 20 })
      return runModel({ clock, seed, store, reference: mapStore(clock), steps: 2_000 })
    })
  })

  describe('it', () => {
    it('answers at once, with the very value that was set', () => {
      const { store, clock } = setUp()
      const value = { deep: [new Date(0)] }
      const entry = createEntry({ value, createdAt: clock.now(), ttl: 1_000 })
      expect(store.set('a', entry)).toBeUndefined()
      expect(store.get('a')).toBe(entry)
      expect((store.get('a') as Entry).value).toBe(value)
      expect(store.delete('a')).toBe(true)
      expect(store.get('a')).toBeUndefined()
    })

    it('hands out an entry that came from another tier as its own', () => {
      const { store, clock, get } = setUp()
      const tags = [{ name: 't', version: '1' }]
      const fields = { value: 1, createdAt: clock.now(), ttl: 10, grace: 5, loadMs: 3, tags, version: 2 }
      store.set('a', createEntry({ ...fields, tier: 1 }))
      expect(get('a')).toEqual(createEntry(fields))
      expect(get('a')?.tags).toBe(tags)
    })

    it('is empty once closed, and takes nothing more', () => {
      const { store, put, held, clock } = setUp()
      put('a')
      store.close()
      store.close()
      expect(held()).toBe('')
      expect(() => put('b')).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
      expect(clock.pending).toBe(0)
    })

    describe('time', () => {
      it('an entry is there until the last millisecond of its grace, and gone from then on', async () => {
        const { store, clock, get } = setUp()
        store.set('a', createEntry({ value: 1, createdAt: clock.now(), ttl: 100, grace: 50 }))
        await clock.advance(149)
        expect(get('a')?.value).toBe(1)
        await clock.advance(1)
        expect(store.local!.peek('a')).toBeUndefined()
        expect(store.delete('a')).toBe(false)
        expect(get('a')).toBeUndefined()
      })

      it('an entry that never expires stays', async () => {
        const { clock, put, held } = setUp({ sweepInterval: Infinity })
        put('a', 1, Infinity)
        await clock.advance(1e12)
        expect(held()).toBe('a')
      })

      it('an entry that has expired already is not kept, and ends the one before', () => {
        const { put, held } = setUp()
        put('a')
        put('a', 2, 0)
        expect(held()).toBe('')
      })

      it('a coarse clock that lags never shows an expired entry', () => {
        let now = 1_000_000
        let exact = 0
        const clock: Clock = {
          ...fakeClock(),
          now: () => (exact++, now),
          coarse: () => now - 49,
        }
        const { get } = setUp({ clock })
        const store = open({ clock })
        store.set('a', createEntry({ value: 1, createdAt: now, ttl: 1_000 }))
        expect(get('a')).toBeUndefined()
        exact = 0
        now += 900
        expect(store.get('a')).toBeDefined()
        expect(exact).toBe(0)
        now += 99
        expect(store.get('a')).toBeDefined()
        expect(exact).toBe(1)
        now += 1
        expect(store.get('a')).toBeUndefined()
      })
    })

    describe('room', () => {
      it('the entry used longest ago goes first', () => {
        const { put, held, get } = setUp({ maxEntries: 3 })
        for (const key of 'abc') put(key)
        get('a')
        put('d')
        expect(held()).toBe('acd')
      })

      it('being replaced is a use, and so is being read with others', () => {
        const { put, held, store } = setUp({ maxEntries: 3 })
        for (const key of 'abc') put(key)
        put('a', 2)
        store.batch!.getMany(['b', 'nothing'])
        put('d')
        expect(held()).toBe('abd')
      })

      it('a peek is no use', () => {
        const { put, held, store } = setUp({ maxEntries: 3 })
        for (const key of 'abc') put(key)
        store.local!.peek('a')
        put('d')
        expect(held()).toBe('bcd')
      })

      it('where no bound is given, there is room for 10,000 entries', async () => {
        const { put, store } = setUp()
        for (let i = 0; i < 12_345; i++) put(`${i}`)
        expect(await listed(store)).toHaveLength(10_000)
      })

      it('many entries come and go through the room of one', () => {
        const { put, get, store } = setUp({ maxEntries: 1 })
        for (let i = 0; i < 100; i++) {
          put(`${i}`)
          expect(get(`${i}`)?.value).toBe(`${i}`)
          if (i % 3 === 0) expect(store.delete(`${i}`)).toBe(true)
        }
      })
    })

    describe('bytes', () => {
      const bytes = (maxBytes: number, more: MemoryStoreOptions = {}) =>
        setUp({ maxBytes, sizeOf: (value) => value as number, ...more })

      it('entries are kept up to maxBytes', () => {
        const { put, held } = bytes(100)
        put('a', 40)
        put('b', 40)
        put('c', 20)
        expect(held()).toBe('abc')
        put('d', 1)
        expect(held()).toBe('bcd')
        put('e', 60)
        expect(held()).toBe('cde')
      })

      it('a replaced entry gives its bytes back', () => {
        const { put, held } = bytes(100)
        for (let i = 0; i < 10; i++) put('a', 90)
        put('b', 10)
        expect(held()).toBe('ab')
      })

      it('an entry larger than maxBytes is not kept, and ends the one before and no other', () => {
        const { put, held } = bytes(100)
        put('a', 10)
        put('b', 10)
        put('a', 101)
        expect(held()).toBe('b')
        put('c', Infinity)
        expect(held()).toBe('b')
        put('d', 90)
        expect(held()).toBe('bd')
      })

      it('nothing is free, and a fraction counts as a whole', () => {
        const { put, held } = bytes(3)
        put('a', 0)
        put('b', 0.5)
        put('c', 0)
        expect(held()).toBe('abc')
        put('d', 1.5)
        expect(held()).toBe('cd')
      })

      it('both bounds hold where both are given', () => {
        const { put, held } = bytes(100, { maxEntries: 2 })
        for (const key of 'abc') put(key, 1)
        expect(held()).toBe('bc')
        put('d', 99)
        expect(held()).toBe('cd')
        put('e', 100)
        expect(held()).toBe('e')
      })

      it('sizeOf is asked for the value and the key', () => {
        const sizeOf = vi.fn(() => 1)
        const { put } = setUp({ maxBytes: 10, sizeOf })
        put('a', { x: 1 })
        expect(sizeOf).toHaveBeenCalledExactlyOnceWith({ x: 1 }, 'a')
      })

      it.each([[Number.NaN], [-1], ['12'], [undefined], [{}]])(
        'a size of %s is refused, and the old entry goes',
        (size) => {
          const { put, held } = bytes(100)
          put('a', 1)
          expect(() => put('a', size)).toThrow(expect.objectContaining({ code: 'ERR_VALUE', key: 'a' }))
          expect(held()).toBe('')
        },
      )

      it('a sizeOf that throws refuses the value with the reason, and the old entry goes', () => {
        const cause = new Error('no idea')
        let fails = false
        const sizeOf = (): number => {
          if (fails) throw cause
          return 1
        }
        const { put, held } = setUp({ maxBytes: 10, sizeOf })
        put('a')
        fails = true
        const error = thrownBy(() => put('a'))
        expect(error).toBeInstanceOf(CacheError)
        expect(error).toMatchObject({ code: 'ERR_VALUE', cause })
        expect(held()).toBe('')
      })

      it('without sizeOf an estimate is counted', async () => {
        const { put, store } = setUp({ maxBytes: 1_000_000 })
        for (let i = 0; i < 1_000; i++) put(`key ${i}`, 'x'.repeat(1_000))
        const { length } = await listed(store)
        expect(length).toBeGreaterThan(400)
        expect(length).toBeLessThan(500)
      })
    })

    describe('evictions', () => {
      it('who follows is told of entries dropped for want of room, and of nothing else', async () => {
        const { put, store, clock, get } = setUp({ maxEntries: 2, sweepInterval: '1s' })
        const told: string[] = []
        const stop = store.evictions!.follow((key) => told.push(key))
        put('a')
        put('a', 2)
        put('b')
        put('c')
        expect(told).toEqual(['a'])
        store.delete('b')
        put('c', 1, 0)
        put('d', 1, 100)
        put('e', 1, 100)
        await clock.advance(100)
        get('d')
        await clock.advance(1_000)
        put('f')
        store.clear()
        put('g')
        store.close()
        expect(told).toEqual(['a'])
        stop()
      })

      it('an entry that had expired or lost its tag is not told of', async () => {
        const { put, store, clock } = setUp({ maxEntries: 1 })
        const told: string[] = []
        store.evictions!.follow((key) => told.push(key))
        put('a', 1, 100)
        await clock.advance(100)
        const tag = { name: 't', version: '1', alive: true }
        store.set('b', createEntry({ value: 1, createdAt: clock.now(), ttl: 100, tags: [tag] }))
        tag.alive = false
        put('c')
        expect(told).toEqual([])
        put('d')
        expect(told).toEqual(['c'])
      })

      it('one set may evict many', () => {
        const { put, store } = setUp({ maxBytes: 10, sizeOf: (value) => value as number })
        const told: string[] = []
        store.evictions!.follow((key) => told.push(key))
        for (const key of 'abcde') put(key, 2)
        put('f', 9)
        expect(told).toEqual(['a', 'b', 'c', 'd', 'e'])
      })

      it('who is told may call the store', () => {
        const { put, store, held, get } = setUp({ maxEntries: 3 })
        store.evictions!.follow((key) => {
          expect(get(key)).toBeUndefined()
          if (key === 'a') put('e')
          if (key === 'b') store.delete('c')
        })
        for (const key of 'abcd') put(key)
        expect(held()).toBe('de')
      })

      it('a function that follows twice is told twice, and stops once at a time', () => {
        const { put, store } = setUp({ maxEntries: 1 })
        const listener = vi.fn()
        const stop = store.evictions!.follow(listener)
        store.evictions!.follow(listener)
        put('a')
        put('b')
        expect(listener).toHaveBeenCalledTimes(2)
        stop()
        stop()
        put('c')
        expect(listener).toHaveBeenCalledTimes(3)
      })
    })

    describe('keys', () => {
      afterEach(() => {
        vi.unstubAllGlobals()
      })

      it('are listed by a literal prefix and a glob for the rest', async () => {
        const { put, store, clock } = setUp()
        for (const key of ['a*:1', 'a*:2', 'ab:1', 'a*:gone']) put(key, 1, key === 'a*:gone' ? 10 : 1_000)
        await clock.advance(10)
        expect(await listed(store, 'a*:')).toEqual(['a*:1', 'a*:2'])
        expect(await listed(store, 'a*:', '?')).toEqual(['a*:1', 'a*:2'])
        expect(await listed(store, 'a', '*1')).toEqual(['a*:1', 'ab:1'])
        expect(await listed(store, '', 'nothing')).toEqual([])
      })

      it('a key that is there throughout is listed once, whatever happens between the batches', async () => {
        const { put, store, get } = setUp({ maxEntries: 4_000 })
        for (let i = 0; i < 3_000; i++) put(`k${i}`)
        const seen: string[] = []
        const removed = new Set<string>()
        let batches = 0
        for await (const batch of store.keys!.scan('k')) {
          expect(batch.length).toBeLessThanOrEqual(500)
          seen.push(...batch)
          // What it stands at, what it has seen and what it has not: used, removed and made anew.
          for (let i = 0; i < 3_000; i += 7) get(`k${(i * 13) % 3_000}`)
          for (let i = 1; i < 3_000; i += 100) {
            store.delete(`k${i}`)
            removed.add(`k${i}`)
            if (i % 200 === 1) put(`k${i}`)
          }
          for (let i = 0; i < 10; i++) put(`other ${batches} ${i}`)
          batches++
        }
        expect(batches).toBeGreaterThan(5)
        const counts = new Map<string, number>()
        for (const key of seen) counts.set(key, (counts.get(key) ?? 0) + 1)
        const throughout = Array.from({ length: 3_000 }, (_, i) => `k${i}`).filter((key) => !removed.has(key))
        expect(throughout.filter((key) => store.local!.peek(key) === undefined)).toEqual([])
        expect(throughout.filter((key) => counts.get(key) !== 1)).toEqual([])
      })

      it('the event loop has its turn between the batches', async () => {
        const { put, store } = setUp()
        for (let i = 0; i < 5_000; i++) put(`k${i}`)
        let turns = 0
        let going = true
        const count = (): void => {
          turns++
          if (going) setImmediate(count)
        }
        setImmediate(count)
        expect(await listed(store, 'k', '*99')).toHaveLength(50)
        going = false
        expect(turns).toBeGreaterThanOrEqual(9)
      })

      it('where there are no message channels, the clock gives the turns', async () => {
        vi.stubGlobal('MessageChannel', undefined)
        const { put, store, clock } = setUp({ sweepInterval: Infinity })
        for (let i = 0; i < 1_500; i++) put(`k${i}`)
        const keys = listed(store)
        await settle()
        expect(clock.pending).toBe(1)
        await clock.advance(0)
        await clock.advance(0)
        expect(await keys).toHaveLength(1_500)
      })
    })

    describe('options', () => {
      it.each<[message: string, options: MemoryStoreOptions]>([
        ['maxEntries must be a whole number from 1 to 8388608, got 0', { maxEntries: 0 }],
        ['maxEntries must be a whole number from 1 to 8388608, got -1', { maxEntries: -1 }],
        ['maxEntries must be a whole number from 1 to 8388608, got 1.5', { maxEntries: 1.5 }],
        ['maxEntries must be a whole number from 1 to 8388608, got NaN', { maxEntries: Number.NaN }],
        ['maxEntries must be a whole number from 1 to 8388608, got 8388609', { maxEntries: 2 ** 23 + 1 }],
        ['maxBytes must be a whole number from 1 to 9007199254740991, got 0', { maxBytes: 0 }],
        ['maxBytes must be a whole number from 1 to 9007199254740991, got 0.5', { maxBytes: 0.5 }],
        ['maxEntries or maxBytes must be finite', { maxEntries: Infinity }],
        ['sweepInterval must not be 0', { sweepInterval: 0 }],
        ['sweepInterval must not be negative or NaN, got -1', { sweepInterval: -1 }],
      ])('a RangeError says: %s', (message, options) => {
        expect(() => open(options)).toThrow(new RangeError(message))
      })

      it.each<[message: string, options: unknown]>([
        ["maxEntries must be a number, got '10'", { maxEntries: '10' }],
        ['maxBytes must be a number, got null', { maxBytes: null }],
        ["sizeOf must be a function, got 'length'", { maxBytes: 1, sizeOf: 'length' }],
        ['sizeOf needs a finite maxBytes', { sizeOf: () => 1 }],
        ["policy must be 'lru' or 'adaptive', got 'fifo'", { policy: 'fifo' }],
        ["policy must be 'lru' or 'adaptive', got an object", { policy: ['lru'] }],
        ['random must be a function, got 4', { random: 4 }],
        ['clock.now must be a function, got undefined', { clock: {} }],
        [
          "unknown option 'max' in memoryStore; known are maxEntries, maxBytes, sizeOf, policy, clock, random, sweepInterval",
          { max: 10 },
        ],
        ['the options of memoryStore must be an object, got null', null],
      ])('a TypeError says: %s', (message, options) => {
        expect(() => open(options as MemoryStoreOptions)).toThrow(new TypeError(message))
      })

      it('an option that is undefined is as good as left out', () => {
        const nothing = { maxEntries: undefined, maxBytes: undefined, sizeOf: undefined, policy: undefined }
        expect(() => open({ ...nothing, clock: undefined, sweepInterval: undefined })).not.toThrow()
        expect(() => open({ policy: 'adaptive', maxBytes: 1, maxEntries: Infinity })).not.toThrow()
      })
    })
  })
})
