import { describe, expect, it } from 'vitest'
import {
  type Cache,
  type CacheOptions,
  createCache,
  doNotCache,
  type GetOrSetOptions,
} from '@flow-cache/core'
import { type FakeClock, fakeClock, mapStore, seededRandom } from '@flow-cache/core/testing'

function setUp(options: Partial<CacheOptions> = {}): { clock: FakeClock; cache: Cache } {
  const clock = fakeClock()
  return { clock, cache: createCache({ store: mapStore(clock), clock, ...options }) }
}

const day = 86_400_000

describe('falsy is not absent', () => {
  const values: [string, unknown][] = [
    ['0', 0],
    ['-0', -0],
    ["''", ''],
    ['false', false],
    ['null', null],
    ['undefined', undefined],
    ['NaN', NaN],
    ['0n', 0n],
    ['[]', []],
    ['{}', {}],
  ]
  for (const [name, value] of values) {
    it(`${name} that was set is a hit through every method`, async () => {
      const { cache } = setUp()
      await cache.set('k', value)
      expect(await cache.has('k')).toBe(true)
      expect(await cache.get('k')).toBe(value)
      expect(cache.peek('k')).toBe(value)
      expect((await cache.getEntry('k'))?.value).toBe(value)
      expect((await cache.getEntry('k'))?.state).toBe('fresh')
      const many = await cache.getMany(['k', 'absent'])
      expect([...many]).toEqual([['k', value]])
      expect(await cache.getOrSet('k', () => 'loaded')).toBe(value)
      expect([...(await cache.getOrSetMany<unknown>(['k'], () => ['loaded']))]).toEqual([['k', value]])
      expect((await cache.explain('k')).state).toBe('fresh')
      expect(cache.stats()).toMatchObject({ hits: 7, misses: 1, loads: 0 })
      expect(await cache.delete('k')).toBe(true)
    })

    it(`${name} that was loaded is loaded once`, async () => {
      const { cache } = setUp()
      let loads = 0
      const load = () => (loads++, value)
      expect(await cache.getOrSet('k', load)).toBe(value)
      expect(await cache.getOrSet('k', load)).toBe(value)
      expect(await cache.has('k')).toBe(true)
      const loadMany = (keys: readonly string[]) => (loads++, new Map(keys.map((key) => [key, value])))
      expect((await cache.getOrSetMany(['l'], loadMany)).has('l')).toBe(true)
      expect((await cache.getOrSetMany(['l'], loadMany)).get('l')).toBe(value)
      const wrapped = cache.wrap('f', load)
      expect([await wrapped(), await wrapped()]).toEqual([value, value])
      expect(loads).toBe(3)
    })
  }

  it('nothing is a miss through every method', async () => {
    const { cache } = setUp()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(await cache.getMany(['k'])).toEqual(new Map())
    expect(await cache.delete('k')).toBe(false)
    expect(await cache.expire('k')).toBe(false)
    expect(await cache.deleteMany(['k'])).toBe(0)
  })

  it('a promise is refused by set, which does not wait for it', async () => {
    const { cache } = setUp()
    await expect(cache.set('k', Promise.resolve(1))).rejects.toMatchObject({ code: 'ERR_VALUE', key: 'k' })
    await expect(
      cache.setMany([
        ['l', 1],
        ['k', Promise.resolve(1)],
      ]),
    ).rejects.toMatchObject({ code: 'ERR_VALUE' })
    expect(await cache.has('l')).toBe(false)
  })
})

describe('an entry lives', () => {
  const lives: [string, GetOrSetOptions, number][] = [
    ['a ttl of 1', { ttl: 1 }, 1],
    ['a ttl of a fraction, rounded up', { ttl: 1.2 }, 2],
    ["a ttl of '30s'", { ttl: '30s' }, 30_000],
    ['a ttl of 30 days, which no timer can hold', { ttl: '30d' }, 30 * day],
    ['the default ttl, 5 minutes', {}, 300_000],
    ["volatility 'static', a day", { volatility: 'static' }, day],
    ["volatility 'dynamic', 5 minutes", { volatility: 'dynamic' }, 300_000],
    ["volatility 'realtime', 5 seconds", { volatility: 'realtime' }, 5_000],
    ['maxTtl where ttl comes from elsewhere', { maxTtl: '1m' }, 60_000],
  ]
  for (const [name, options, ms] of lives) {
    it(`for ${name}, and not a millisecond longer`, async () => {
      const { cache, clock } = setUp()
      await cache.set('set', 1, options)
      await cache.getOrSet('loaded', () => 1, options)
      expect((await cache.explain('set')).ttlMs).toBe(ms)
      await clock.advance(ms - 1)
      expect(await cache.has('set')).toBe(true)
      expect(await cache.has('loaded')).toBe(true)
      await clock.advance(1)
      expect(await cache.has('set')).toBe(false)
      expect(await cache.has('loaded')).toBe(false)
      expect(clock.pending).toBe(0)
    })
  }

  it('for ever with a ttl of Infinity', async () => {
    const { cache, clock } = setUp({ ttl: Infinity })
    await cache.set('k', 1)
    await clock.advance(100 * 365 * day)
    expect(await cache.get('k')).toBe(1)
    expect((await cache.explain('k')).ttlMs).toBe(Infinity)
  })

  it('fresh for ttl, then stale for grace, then no more', async () => {
    const { cache, clock } = setUp({ ttl: '1m', grace: '1h' })
    await cache.set('k', 1)
    expect(await cache.getEntry('k')).toEqual({
      value: 1,
      state: 'fresh',
      tier: 'map',
      ageMs: 0,
      ttlMs: 60_000,
      tags: [],
    })
    await clock.advance(60_000)
    expect(await cache.getEntry('k')).toEqual({
      value: 1,
      state: 'stale',
      tier: 'map',
      ageMs: 60_000,
      ttlMs: 0,
      tags: [],
    })
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.peek('k')).toBeUndefined()
    await clock.advance(3_600_000)
    expect(await cache.getEntry('k')).toBeUndefined()
  })

  it('not at all with a ttl of 0, and what was there goes', async () => {
    const { cache } = setUp()
    await cache.setMany({ a: 'old', b: 'old', c: 'old' })
    await cache.set('a', 'new', { ttl: 0 })
    await cache.setMany({ b: 'new', d: 'new' }, { ttl: 0 })
    expect(await cache.getOrSet('c', () => 'new', { ttl: 0, forceRefresh: true })).toBe('new')
    expect(await cache.getMany(['a', 'b', 'c', 'd'])).toEqual(new Map())
  })

  it('for negativeTtl if it is null or undefined', async () => {
    const { cache, clock } = setUp({ ttl: '1h', negativeTtl: '1s' })
    await cache.setMany({ null: null, undefined: undefined, zero: 0, empty: '' })
    let loads = 0
    await cache.getOrSet('loaded', () => (loads++, null))
    await clock.advance(1_000)
    expect([...(await cache.getMany(['null', 'undefined', 'zero', 'empty', 'loaded'])).keys()]).toEqual([
      'zero',
      'empty',
    ])
    await cache.getOrSet('loaded', () => (loads++, null))
    expect(loads).toBe(2)
  })

  it('not at all if it is null and negativeTtl is 0', async () => {
    const { cache } = setUp({ negativeTtl: 0 })
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, null))
    expect([await read(), await read()]).toEqual([null, null])
    expect(loads).toBe(2)
  })

  it('no longer than maxTtl, wherever its ttl comes from', async () => {
    const { cache } = setUp({ maxTtl: '1m', negativeTtl: '1h' })
    await cache.set('call', 1, { ttl: '2h' })
    await cache.set('negative', null)
    await cache.getOrSet('loader', ({ options }) => {
      options.ttl = '1d'
      return 1
    })
    for (const key of ['call', 'negative', 'loader']) expect((await cache.explain(key)).ttlMs).toBe(60_000)
  })

  it('shorter by at most the share that is its jitter', async () => {
    const { cache } = setUp({ ttl: '100s', jitter: 0.2, random: seededRandom(1) })
    const ttls: number[] = []
    for (let i = 0; i < 1_000; i++) {
      await cache.set('k', i)
      ttls.push((await cache.explain('k')).ttlMs!)
    }
    expect(Math.min(...ttls)).toBeGreaterThanOrEqual(80_000)
    expect(Math.min(...ttls)).toBeLessThan(81_000)
    expect(Math.max(...ttls)).toBeLessThanOrEqual(100_000)
    expect(Math.max(...ttls)).toBeGreaterThan(99_000)
    expect(new Set(ttls).size).toBeGreaterThan(900)
  })

  it('at least a millisecond with the whole of it as jitter', async () => {
    const { cache } = setUp({ ttl: 10, jitter: 1, random: () => 1 - Number.EPSILON })
    await cache.set('k', 1)
    expect((await cache.explain('k')).ttlMs).toBe(1)
  })
})

describe('a key', () => {
  it.each([[''], [0], [1], [null], [undefined], [{}], [['k']], [Symbol('k')], [() => 'k']])(
    '%o is refused by every method',
    async (wrong) => {
      const { cache } = setUp()
      const key = wrong as string
      const refused = {
        name: 'TypeError',
        message: expect.stringMatching(/^a key must be a non-empty string, got /) as string,
      }
      const calls = [
        () => cache.get(key),
        () => cache.getEntry(key),
        () => cache.getMany([key]),
        () => cache.has(key),
        () => cache.set(key, 1),
        () => cache.setMany([[key, 1]]),
        () => cache.delete(key),
        () => cache.deleteMany(['k', key]),
        () => cache.expire(key),
        () => cache.getOrSet(key, () => 1),
        () => cache.getOrSetMany([key], () => [1]),
        () => cache.explain(key),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject(refused)
      expect(() => cache.peek(key)).toThrow(TypeError)
      expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, loads: 0, sets: 0, deletes: 0 })
    },
  )

  it('of any characters and of any length is one like others', async () => {
    const { cache } = setUp()
    for (const key of ['__proto__', 'constructor', 'hasOwnProperty', '\0', '*', '@', 'x'.repeat(1_000_000)]) {
      expect(await cache.has(key)).toBe(false)
      await cache.set(key, key)
      expect(await cache.get(key)).toBe(key)
      expect(await cache.delete(key)).toBe(true)
    }
  })

  it('stands alone: a string is no list of keys', async () => {
    const { cache } = setUp()
    await expect(cache.getMany('abc')).rejects.toThrow(
      /^keys must be an array or another iterable of strings, got 'abc'/,
    )
    await expect(cache.deleteMany(null as unknown as string[])).rejects.toThrow(TypeError)
    await expect(cache.getOrSetMany(1 as unknown as string[], () => [])).rejects.toThrow(TypeError)
    await expect(cache.setMany('ab' as unknown as Map<string, unknown>)).rejects.toThrow(TypeError)
    await expect(cache.setMany(null as unknown as Map<string, unknown>)).rejects.toThrow(TypeError)
  })
})

describe('an option', () => {
  const wrong = (options: object): GetOrSetOptions => options
  const refusals: [object, typeof TypeError | typeof RangeError, RegExp][] = [
    [{ ttl: -1 }, RangeError, /^ttl must not be negative or NaN, got -1/],
    [{ ttl: NaN }, RangeError, /^ttl must/],
    [{ ttl: '-5m' }, RangeError, /^ttl must/],
    [{ ttl: '5 minutes' }, TypeError, /^ttl must be milliseconds or a string/],
    [{ ttl: null }, TypeError, /^ttl must/],
    [{ grace: -1 }, RangeError, /^grace must/],
    [{ maxTtl: NaN }, RangeError, /^maxTtl must/],
    [{ negativeTtl: -1 }, RangeError, /^negativeTtl must/],
    [{ errorTtl: -1 }, RangeError, /^errorTtl must/],
    [{ timeouts: { soft: -1 } }, RangeError, /^timeouts\.soft must/],
    [{ timeouts: { hard: NaN } }, RangeError, /^timeouts\.hard must/],
    [{ timeouts: { load: -1 } }, RangeError, /^timeouts\.load must/],
    [{ timeouts: { load: 0 } }, RangeError, /^timeouts\.load must not be 0/],
    [{ timeouts: null }, TypeError, /^timeouts must be an object/],
    [{ timeouts: { sotf: 1 } }, TypeError, /^unknown option 'sotf' in timeouts/],
    [{ jitter: -0.1 }, RangeError, /^jitter must be from 0 to 1, got -0.1/],
    [{ jitter: 1.1 }, RangeError, /^jitter must/],
    [{ jitter: NaN }, RangeError, /^jitter must/],
    [{ jitter: '0.1' }, TypeError, /^jitter must be a number/],
    [{ refreshAhead: 2 }, RangeError, /^refreshAhead must/],
    [{ beta: -1 }, RangeError, /^beta must/],
    [{ tags: 'a' }, TypeError, /^tags must be an array of non-empty strings/],
    [{ tags: [''] }, TypeError, /^tags must/],
    [{ tags: [1] }, TypeError, /^tags must/],
    [{ version: {} }, TypeError, /^version must/],
    [{ copy: 'deep' }, TypeError, /^copy must be 'share' or 'clone' or 'freeze', got 'deep'/],
    [{ schema: {} }, TypeError, /^schema\['~standard'\]\.validate must be a function/],
    [{ migrate: 1 }, TypeError, /^migrate must be a function/],
    [{ waitUntil: 1 }, TypeError, /^waitUntil must be a function/],
    [{ volatility: 'slow' }, TypeError, /^volatility must/],
    [{ tll: 1 }, TypeError, /^unknown option 'tll' in options; known are ttl, /],
    [{ toString: 1 }, TypeError, /^unknown option 'toString'/],
    [{ ttl: 1, volatility: 'static' }, TypeError, /^ttl and volatility contradict each other/],
    [{ refreshAhead: 0.5, beta: 1 }, TypeError, /^refreshAhead and beta contradict each other/],
    [
      { timeouts: { soft: 2, hard: 1 } },
      RangeError,
      /^timeouts\.soft \(2 ms\) must not exceed timeouts\.hard \(1 ms\)/,
    ],
    [
      { timeouts: { hard: 2, load: 1 } },
      RangeError,
      /^timeouts\.hard \(2 ms\) must not exceed timeouts\.load \(1 ms\)/,
    ],
    [{ ttl: 2, maxTtl: 1 }, RangeError, /^ttl \(2 ms\) must not exceed maxTtl \(1 ms\)/],
    [{ migrate: () => 1 }, TypeError, /^migrate needs version/],
  ]
  for (const [options, type, message] of refusals) {
    it(`that is wrong is refused with a ${type.name} that says ${message.source}`, async () => {
      const { cache } = setUp()
      let loads = 0
      const read = cache.getOrSet('k', () => ++loads, wrong(options))
      const error: unknown = await read.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(type)
      expect((error as Error).message).toMatch(message)
      await expect(cache.set('k', 1, wrong(options))).rejects.toThrow(message)
      await expect(cache.getOrSetMany(['k'], () => [++loads], wrong(options))).rejects.toThrow(message)
      expect(() => cache.namespace('n', wrong(options))).toThrow(message)
      expect(() => cache.wrap('f', () => ++loads, wrong(options))).toThrow(message)
      expect(() => setUp(wrong(options) as Partial<CacheOptions>)).toThrow(message)
      expect(loads).toBe(0)
    })
  }

  const ofCalls: [object, RegExp][] = [
    [{ signal: {} }, /^signal\.addEventListener must/],
    [{ forceRefresh: 1 }, /^forceRefresh must/],
    [{ skip: 'all' }, /^skip must/],
  ]
  for (const [options, message] of ofCalls) {
    it(`that is for calls alone is refused with ${message.source}, and by a cache in any case`, async () => {
      await expect(setUp().cache.getOrSet('k', () => 1, wrong(options))).rejects.toThrow(message)
      const [name] = Object.keys(options)
      expect(() => setUp(wrong(options) as Partial<CacheOptions>)).toThrow(
        `unknown option '${name}' in options`,
      )
    })
  }

  it('that is misspelled is refused with the one that was meant, where that can be told', () => {
    expect(() => setUp(wrong({ timeout: 1 }))).toThrow(
      "unknown option 'timeout' in options; did you mean 'timeouts'?",
    )
    expect(() => setUp(wrong({ Tags: ['a'] }))).toThrow("did you mean 'tags'?")
    expect(() => createCache(undefined as never)).toThrow(
      'options must be an object with a store, got undefined',
    )
  })

  it('an event nobody tells of is refused with those there are', () => {
    expect(() => setUp().cache.on('hits' as never, () => {})).toThrow(/^event must be 'hit' or 'staleHit' or/)
  })

  it.each([[null], [5], ['1m']])('options that are %j are refused, by a rejection', async (options) => {
    const { cache } = setUp()
    await cache.set('k', 1)
    for (const call of [
      cache.getOrSet('k', () => 1, options as never),
      cache.set('k', 1, options as never),
      cache.getOrSetMany(['k'], () => [1], options as never),
    ]) {
      await expect(call).rejects.toThrow('options must be an object')
    }
    expect(() => cache.wrap('f', () => 1, options as never)).toThrow('options must be an object')
  })

  it('a value that says doNotCache is refused by set', async () => {
    await expect(setUp().cache.set('k', doNotCache(1))).rejects.toMatchObject({ code: 'ERR_VALUE' })
  })

  it('entries that are not pairs are refused', async () => {
    await expect(setUp().cache.setMany([{ key: 'a', value: 1 }] as never)).rejects.toThrow(
      'each of entries must be a pair [key, value], got an object',
    )
  })

  const settings: [object, RegExp][] = [
    [{ name: 1 }, /^name must/],
    [{ random: 1 }, /^random must/],
    [{ clock: {} }, /^clock\.now must/],
    [{ circuit: { failures: 0 } }, /^circuit\.failures must/],
    [{ circuit: { cooldown: -1 } }, /^circuit\.cooldown must/],
    [{ circuit: { after: 1 } }, /^unknown option 'after' in circuit/],
    [{ onStoreError: 'log' }, /^onStoreError must/],
    [{ maxLoads: 0 }, /^maxLoads must/],
    [{ maxTags: NaN }, /^maxTags must/],
    [{ leaseTerm: -1 }, /^leaseTerm must/],
    [{ timeouts: { store: -1 } }, /^timeouts\.store must/],
    [
      { timeouts: { store: 2 }, leaseTerm: 1 },
      /^timeouts\.store \(2 ms\) must not exceed leaseTerm \(1 ms\)/,
    ],
    [{ asyncContext: {} }, /^asyncContext\.getStore must/],
    [{ store: undefined }, /^store\.get must be a function/],
    [{ store: {} }, /^store\.get must be a function/],
    [{ maxEntries: 1 }, /^unknown option 'maxEntries'/],
  ]
  for (const [options, message] of settings) {
    it(`of the whole cache that is wrong says ${message.source}`, () => {
      expect(() => setUp(options as Partial<CacheOptions>)).toThrow(message)
    })
  }

  it('of how long a call is waited for is told to the store, which may refuse it', () => {
    const told: number[] = []
    const patience = (ms: number): void => {
      told.push(ms)
      if (ms < 100) throw new RangeError(`${ms} ms are too few`)
    }
    const open = (timeouts?: CacheOptions['timeouts']): Cache =>
      createCache({ store: { ...mapStore(fakeClock()), patience }, timeouts })
    open()
    open({ store: '1s' })
    expect(() => open({ store: 99 })).toThrow('99 ms are too few')
    expect(told).toEqual([200, 1_000, 99])
  })

  it('that is undefined is as if it were left out', async () => {
    const { cache } = setUp({ ttl: '1m', jitter: undefined, timeouts: { soft: undefined } })
    await cache.set('k', 1, { ttl: undefined, volatility: undefined, tags: undefined })
    expect((await cache.explain('k')).ttlMs).toBe(60_000)
  })

  it('of a call stands over that of the namespace, and that over the one of the cache', async () => {
    const { cache } = setUp({ ttl: '1m', refreshAhead: 0.5 })
    const namespace = cache.namespace('n', { volatility: 'realtime', beta: 1 })
    await namespace.set('k', 1)
    await namespace.set('l', 1, { ttl: 7, tags: ['a', 'a'] })
    expect((await namespace.explain('k')).ttlMs).toBe(5_000)
    expect(await namespace.explain('l')).toMatchObject({ ttlMs: 7, tags: ['a'] })
  })

  it('is a function where one is needed, with its name in the message', async () => {
    const { cache } = setUp()
    const none = undefined as unknown as () => number[]
    await expect(cache.getOrSet('k', none)).rejects.toThrow(/^loader must be a function, got undefined/)
    await expect(cache.getOrSetMany(['k'], none)).rejects.toThrow(/^loadMany must be a function/)
    expect(() => cache.wrap('f', none)).toThrow(/^fn must be a function/)
    expect(() => cache.wrap('', () => 1)).toThrow(/^wrap's name must be a non-empty string/)
    expect(() => cache.on('hit', none)).toThrow(/^listener must be a function/)
    expect(() => cache.namespace('')).toThrow(/^a namespace's name must be a non-empty string/)
    await expect(cache.clearPattern('')).rejects.toThrow(/^a pattern must be a non-empty string/)
    await expect(cache.invalidateTags('t' as unknown as string[])).rejects.toThrow(/^tags must be an array/)
  })
})
