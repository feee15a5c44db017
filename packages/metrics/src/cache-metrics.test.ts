import { type Cache, CacheError, createCache, type Store } from '@flow-cache/core'
import {
  type FakeClock,
  fakeClock,
  faultyStore,
  mapStore,
  seededRandom,
  settle,
} from '@flow-cache/core/testing'
import { InMemoryCache } from '@flow-cache/memory'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CacheMetrics } from './cache-metrics.js'
import type { CacheMetricsOptions } from './options.js'

function setUp(options: CacheMetricsOptions = {}, store?: (clock: FakeClock) => Store) {
  const clock = fakeClock()
  const cache = createCache({
    store: (store ?? mapStore)(clock),
    clock,
    ttl: '1m',
    grace: '1h',
    random: seededRandom(1),
  })
  const metrics = new CacheMetrics(cache, { clock, random: seededRandom(2), sample: 1, ...options })
  return { clock, cache, metrics }
}

/** What both count, as the cache has it. */
function agreed({
  hits,
  staleHits,
  misses,
  coalesced,
  loads,
  loadErrors,
  fenced,
  sets,
  deletes,
  evictions,
}: {
  [
    Name in
      | 'hits'
      | 'staleHits'
      | 'misses'
      | 'coalesced'
      | 'loads'
      | 'loadErrors'
      | 'fenced'
      | 'sets'
      | 'deletes'
      | 'evictions'
  ]: number
}): unknown {
  return { hits, staleHits, misses, coalesced, loads, loadErrors, fenced, sets, deletes, evictions }
}

const fails = (): never => {
  throw new Error('the origin is down')
}

describe('what is counted', () => {
  it('is every read, load and change', async () => {
    const { clock, cache, metrics } = setUp()
    const slow = async (): Promise<number> => {
      await clock.advance(50)
      return 1
    }
    await Promise.all([cache.getOrSet('a', slow), cache.getOrSet('a', slow)])
    await cache.getOrSet('a', slow)
    await cache.getOrSet('b', fails).catch(() => undefined)
    await cache.getOrSetMany(['c', 'd'], () => new Map([['c', 1]]))
    await cache.set('e', 1)
    await cache.setMany(new Map([['f', 1]]))
    await cache.delete('e')
    await cache.expire('f')
    await cache.getOrSet('f', fails)
    const { total, saved } = metrics.report()
    expect(total).toEqual({
      hits: 1,
      staleHits: 1,
      misses: 5,
      reads: 7,
      hitRatio: 1 / 7,
      coalesced: 1,
      loadsAvoided: 2,
      loads: 5,
      loadErrors: 2,
      absent: 1,
      background: 0,
      fenced: 0,
      sets: 2,
      deletes: 1,
      expires: 1,
      evictions: 0,
      poisoned: 0,
      savedMs: 50,
      efficiency: 1 / 7,
    })
    expect(saved).toEqual({ ms: 50, usd: 0, tokens: 0 })
    expect(agreed(total)).toEqual(agreed(cache.stats()))
  })

  it('is the time saved of values that were loaded together once, and not once for each of them', async () => {
    const { clock, cache, metrics } = setUp()
    const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`)
    const load = async (): Promise<readonly string[]> => {
      await clock.advance(1_700)
      return keys
    }
    for (let i = 0; i < 3; i++) await cache.getOrSetMany(keys, load)
    expect(metrics.report().saved.ms).toBe(3_400)
  })

  it('is loads behind a hit, and values that came too late', async () => {
    const { clock, cache, metrics } = setUp()
    await cache.set('a', 1, { ttl: 1_000 })
    await clock.advance(900)
    await cache.getOrSet('a', () => 2, { refreshAhead: 0.5 })
    await settle()
    await cache.getOrSet('b', async () => {
      await cache.delete('b')
      return 1
    })
    expect(metrics.report().total).toMatchObject({ hits: 1, loads: 2, background: 1, fenced: 1, deletes: 1 })
  })

  it('is what was dropped for want of room, which makes a cache less efficient', async () => {
    const cache = new InMemoryCache({ maxEntries: 2 })
    const metrics = new CacheMetrics(cache)
    for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, 1)
    await cache.get('d')
    expect(metrics.report().total).toMatchObject({ evictions: 2, sets: 4, hitRatio: 1, efficiency: 0.5 })
    await cache.close()
  })

  it('is what cannot be read, failures that nobody is told of, and whether the store is given up', async () => {
    let poisoned = true
    let down = false
    const { cache, metrics } = setUp({}, (clock) => ({
      ...faultyStore(mapStore(clock)),
      get: async () => {
        if (down) throw new Error('down')
        if (poisoned) throw new CacheError('ERR_POISONED', 'no entry')
        return undefined
      },
    }))
    const report = () => metrics.report().caches['cache']!
    await cache.get('a')
    poisoned = false
    expect(report()).toMatchObject({ poisoned: 1, misses: 1, circuit: 'closed', errors: 0 })
    down = true
    for (let i = 0; i < 10; i++) await cache.get('a')
    expect(report()).toMatchObject({ circuit: 'open', misses: 11 })
    expect(report().errors).toBeGreaterThan(0)
  })

  it('agrees with the cache, whatever happens', async () => {
    const step = fc.tuple(
      fc.constantFrom('get', 'getOrSet', 'fail', 'many', 'set', 'delete', 'expire', 'clear', 'pass', 'tag'),
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('', 'one', 'two', 'three'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, cache, metrics } = setUp({ namespaces: 3, curve: true })
        const calls: Promise<unknown>[] = []
        for (const [what, key, namespace] of steps) {
          const at = namespace === '' ? cache : cache.namespace(namespace)
          if (what === 'pass') await clock.advance(20_000)
          else calls.push(act(at, what, key).catch(() => undefined))
          if (calls.length % 3 === 0) await Promise.all(calls)
        }
        await Promise.all(calls)
        await settle()
        const report = metrics.report()
        const { namespaces, tiers, latency } = report.caches['cache']!
        expect(agreed(report.total)).toEqual(agreed(cache.stats()))
        expect(report.total.reads).toBe(report.total.hits + report.total.staleHits + report.total.misses)
        expect(Object.values(namespaces).reduce((sum, { reads }) => sum + reads, 0)).toBe(report.total.reads)
        expect(Object.keys(namespaces).length).toBeLessThanOrEqual(4)
        expect(tiers.reduce((sum, { hits }) => sum + hits, 0)).toBe(report.total.hits)
        expect(latency.load.count).toBe(report.total.loads)
        expect(metrics.topKeys(100).reduce((sum, { count }) => sum + count, 0)).toBe(report.total.reads)
      }),
      { numRuns: 60 },
    )
  })
})

async function act(cache: Cache, what: string, key: string): Promise<unknown> {
  switch (what) {
    case 'get':
      return cache.get(key)
    case 'getOrSet':
      return cache.getOrSet(key, async () => settle(3), { tags: ['t'] })
    case 'fail':
      return cache.getOrSet(key, fails)
    case 'many':
      return cache.getOrSetMany(['a', 'b', 'c', 'd'], () => new Map([['a', 1]]))
    case 'set':
      return cache.set(key, 1)
    case 'delete':
      return cache.delete(key)
    case 'expire':
      return cache.expire(key)
    case 'clear':
      return cache.clear()
    default:
      return cache.invalidateTags(['t'])
  }
}

describe('namespaces and tiers', () => {
  it('are told apart, and namespaces beyond the limit are counted together', async () => {
    const { cache, metrics } = setUp({ namespaces: 2 })
    for (const name of ['one', 'two', 'three']) await cache.namespace(name).get('k')
    await cache.namespace('one').get('k')
    const { namespaces } = metrics.report().caches['cache']!
    expect(Object.entries(namespaces).map(([name, { reads }]) => [name, reads])).toEqual([
      ['', 0],
      ['one', 2],
      ['(other)', 2],
    ])
  })

  it('have names, hits and times of their own', async () => {
    const { cache, metrics } = setUp({}, (time) => ({ ...mapStore(time), tiers: ['near', 'far'] }))
    await cache.set('a', 1)
    await cache.get('a')
    expect(metrics.report().caches['cache']!.tiers).toMatchObject([
      { name: 'near', hits: 1, latency: { count: 1 } },
      { name: 'far', hits: 0, latency: { count: 0 } },
    ])
  })

  it('of several caches are under their names', async () => {
    const clock = fakeClock()
    const [users, orders] = [1, 2].map(() => createCache({ store: mapStore(clock), clock }))
    const metrics = new CacheMetrics({ users: users!, orders: orders! }, { clock, curve: true })
    await users!.get('a')
    await orders!.get('b')
    await orders!.get('b')
    const { caches, total } = metrics.report()
    expect([caches['users']!.reads, caches['orders']!.reads, total.reads]).toEqual([1, 2, 3])
    expect([...metrics.caches.keys()]).toEqual(['users', 'orders'])
    expect(() => metrics.hitRatioCurve()).toThrow('say of which cache: users, orders')
    expect(() => metrics.hitRatioCurve({ cache: 'posts' })).toThrow("no cache 'posts', only users, orders")
    expect(metrics.hitRatioCurve({ cache: 'orders', sizes: [1] })).toEqual([
      { entries: 1, factor: undefined, hitRatio: 0.5 },
    ])
  })
})

describe('latencies', () => {
  it('are those of hits and loads, by the clock', async () => {
    const lag = { ms: 0 }
    const { clock, cache, metrics } = setUp({}, (time) => {
      // Not in this process: every read waits for it.
      const { local: _, ...store } = mapStore(time)
      return {
        ...store,
        get: async (key) => {
          await clock.advance(lag.ms)
          return store.get(key)
        },
      }
    })
    await cache.getOrSet('a', async () => clock.advance(200))
    lag.ms = 8
    await cache.get('a')
    const { latency } = metrics.report().caches['cache']!
    expect(latency.load).toMatchObject({ count: 1, p50: 200, max: 200 })
    expect(latency.hit).toMatchObject({ count: 1, p50: 8, max: 8 })
  })

  it('are told to listeners as they come', async () => {
    const { clock, cache, metrics } = setUp()
    const told: unknown[] = []
    metrics.onTimed(() => fails())
    const stop = metrics.onTimed((timed) => told.push(timed))
    await cache.getOrSet('a', async () => clock.advance(5))
    await cache.get('a')
    await cache.getOrSet('b', fails).catch(() => undefined)
    stop()
    await cache.get('a')
    expect(told).toEqual([
      { cache: 'cache', kind: 'load', failed: false, ms: 5 },
      { cache: 'cache', kind: 'hit', tier: 'map', ms: 0 },
      { cache: 'cache', kind: 'load', failed: true, ms: 0 },
    ])
  })
})

describe('the top keys', () => {
  it('are exact where every read is looked at', async () => {
    const { cache, metrics } = setUp()
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.namespace('n').get(key)
    expect(metrics.topKeys(2)).toEqual([
      { cache: 'cache', key: 'a', namespace: 'n', count: 3, error: 0 },
      { cache: 'cache', key: 'b', namespace: 'n', count: 2, error: 0 },
    ])
    expect(metrics.topKeys(5, 'cache')).toHaveLength(3)
    expect(() => metrics.topKeys(0)).toThrow('limit must be a whole number from 1, got 0')
  })

  it('are exact where reads are few, however fast some of them come', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    const metrics = new CacheMetrics(cache, { clock })
    for (let i = 0; i < 15_000; i++) await cache.getOrSet(`k${i % 10}`, () => 1)
    expect(metrics.topKeys().map(({ count, error }) => [count, error])).toEqual(
      Array.from({ length: 10 }, () => [1_500, 0]),
    )
  })

  it('are about right in a sample, and say how far they may be off', async () => {
    const clock = fakeClock()
    const cache = new InMemoryCache({ clock })
    const metrics = new CacheMetrics(cache, { clock, random: seededRandom(5), sample: 8, topKeys: 20 })
    const random = seededRandom(6)
    const exact = new Map<string, number>()
    for (let i = 0; i < 100_000; i++) {
      const key = `k${Math.floor(500 ** random())}`
      exact.set(key, (exact.get(key) ?? 0) + 1)
      await cache.getOrSet(key, () => 1)
      if (i % 500 === 0) await clock.advance(1)
    }
    const top = metrics.topKeys(10)
    const near = top.filter(({ key, count, error }) => Math.abs(count - exact.get(key)!) <= error)
    expect(near.length).toBeGreaterThanOrEqual(9)
    expect(top[0]!.key).toBe('k1')
    expect(top[0]!.error).toBeGreaterThan(0)
    expect(top[0]!.error).toBeLessThan(top[0]!.count / 4)
    await cache.close()
  })

  it('are not kept where there is to be no room for them', async () => {
    const { cache, metrics } = setUp({ topKeys: 0 })
    await cache.get('a')
    metrics.restore({
      ...metrics.snapshot(),
      topKeys: { cache: [{ key: 'a', namespace: '', count: 1, error: 0 }] },
    })
    expect(metrics.topKeys()).toEqual([])
  })
})

describe('the curve', () => {
  it('says what a cache of other sizes would answer', async () => {
    const cache = new InMemoryCache({ maxEntries: 8 })
    const metrics = new CacheMetrics(cache, { curve: true })
    for (let i = 0; i < 160; i++) await cache.getOrSet(`k${i % 16}`, () => i)
    expect(cache.stats().hits).toBe(0)
    expect(metrics.hitRatioCurve()).toEqual([
      { entries: 2, factor: 0.25, hitRatio: 0 },
      { entries: 4, factor: 0.5, hitRatio: 0 },
      { entries: 8, factor: 1, hitRatio: 0 },
      { entries: 16, factor: 2, hitRatio: 0.9 },
      { entries: 32, factor: 4, hitRatio: 0.9 },
      { entries: 64, factor: 8, hitRatio: 0.9 },
    ])
    expect(metrics.hitRatioCurve({ capacity: 16 })[2]).toEqual({ entries: 16, factor: 1, hitRatio: 0.9 })
    expect(metrics.hitRatioCurve({ sizes: [15, 16] }).map(({ hitRatio }) => hitRatio)).toEqual([0, 0.9])
    await cache.close()
  })

  it('has powers of two where nobody knows how large the cache is', async () => {
    const { cache, metrics } = setUp({ curve: true })
    for (const key of ['a', 'b', 'c', 'a']) await cache.get(key)
    expect(metrics.hitRatioCurve()).toEqual([
      { entries: 1, factor: undefined, hitRatio: 0 },
      { entries: 2, factor: undefined, hitRatio: 0 },
      { entries: 4, factor: undefined, hitRatio: 0.25 },
    ])
  })

  it('finds keys that were there before anyone counted', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    await cache.set('a', 1)
    const metrics = new CacheMetrics(cache, { clock, sample: 1, curve: true })
    for (let i = 0; i < 10; i++) await cache.get('a')
    expect(metrics.hitRatioCurve({ sizes: [1] })[0]!.hitRatio).toBeCloseTo(0.9, 9)
  })

  it('has to be asked for', () => {
    const { metrics } = setUp()
    expect(() => metrics.hitRatioCurve()).toThrow('needs `new CacheMetrics(cache, { curve: true })`')
  })

  it('refuses sizes that are none', () => {
    const { metrics } = setUp({ curve: true })
    expect(() => metrics.hitRatioCurve({ sizes: [0] })).toThrow('sizes must be a whole number from 1, got 0')
    expect(() => metrics.hitRatioCurve({ size: [1] } as never)).toThrow(
      "unknown option 'size' of hitRatioCurve; known are cache, capacity, sizes",
    )
    expect(() => metrics.hitRatioCurve({ capacity: 1.5 })).toThrow('capacity must be a whole number from 1')
  })
})

describe('a snapshot', () => {
  it('brings the top keys across a restart', async () => {
    const before = setUp()
    for (const key of ['a', 'b', 'a']) await before.cache.get(key)
    const kept = JSON.parse(JSON.stringify(before.metrics.snapshot())) as never
    const after = setUp()
    await after.cache.get('b')
    await after.cache.get('b')
    after.metrics.restore(kept)
    expect(after.metrics.topKeys().map(({ key, count }) => [key, count])).toEqual([
      ['b', 3],
      ['a', 2],
    ])
    expect(after.metrics.report().total.reads).toBe(2)
  })

  it('of other caches is left out', () => {
    const { metrics } = setUp()
    metrics.restore({
      ...metrics.snapshot(),
      topKeys: { other: [{ key: 'a', namespace: '', count: 1, error: 0 }] },
    })
    expect(metrics.topKeys()).toEqual([])
  })

  it.each([
    [undefined, 'is none of CacheMetrics'],
    [null, 'is none of CacheMetrics'],
    ['text', 'is none of CacheMetrics'],
    [{ format: 'flow-cache metrics', version: 2 }, 'has the version 2, not 1'],
    [{ format: 'flow-cache metrics', version: 1 }, 'has no topKeys'],
    [{ format: 'flow-cache metrics', version: 1, topKeys: { cache: {} } }, 'damaged at topKeys.cache'],
    [
      {
        format: 'flow-cache metrics',
        version: 1,
        topKeys: {
          cache: [
            { key: 'a', namespace: '', count: 1, error: 0 },
            { key: 'b', namespace: '', count: '1', error: 0 },
          ],
        },
      },
      'damaged at topKeys.cache[1]',
    ],
    [
      {
        format: 'flow-cache metrics',
        version: 1,
        topKeys: { cache: [{ key: 'a', namespace: '', count: 1e308, error: 0 }] },
      },
      'damaged at topKeys.cache[0]',
    ],
  ])('that is %j is refused, and nothing is added', (given, message) => {
    const { metrics } = setUp()
    const restore = (): void => metrics.restore(given as never)
    expect(restore).toThrow(CacheError)
    expect(restore).toThrow(message)
    expect(restore).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }))
    expect(metrics.topKeys()).toEqual([])
  })
})

describe('the rest', () => {
  it('says what was saved beside time, if somebody knows', () => {
    const { metrics } = setUp({ savings: { report: () => ({ savedUsd: 1.5, savedTokens: 300 }) } })
    expect(metrics.report().saved).toEqual({ ms: 0, usd: 1.5, tokens: 300 })
  })

  it('counts no more once it is closed, and the cache goes on', async () => {
    const { cache, metrics } = setUp()
    await cache.get('a')
    metrics.close()
    metrics[Symbol.dispose]()
    await cache.set('a', 1)
    expect(await cache.get('a')).toBe(1)
    expect(metrics.report().total).toMatchObject({ reads: 1, sets: 0 })
  })

  it('says since when it counts', async () => {
    const { clock, metrics } = setUp()
    const since = clock.now()
    await clock.advance(100)
    expect(metrics.report()).toMatchObject({ since, at: since + 100 })
  })

  it.each([
    [undefined, {}, 'CacheMetrics needs a cache, or an object of caches by name'],
    [{}, {}, 'CacheMetrics needs a cache'],
    [{ a: 1 }, {}, 'CacheMetrics needs a cache'],
  ])('refuses %j as caches', (caches, options, message) => {
    expect(() => new CacheMetrics(caches as never, options)).toThrow(message)
  })

  it.each<[object, typeof TypeError | typeof RangeError, string]>([
    [{ sampel: 1 }, TypeError, "unknown option 'sampel' of CacheMetrics; known are sample, topKeys"],
    [{ sample: 0 }, RangeError, 'sample must be a whole number from 1, got 0'],
    [{ sample: '1' }, TypeError, 'sample must be a number, got string'],
    [{ topKeys: -1 }, RangeError, 'topKeys must be a whole number from 0, got -1'],
    [{ namespaces: 0 }, RangeError, 'namespaces must be a whole number from 1'],
    [{ curve: 1 }, TypeError, 'curve must be true or false'],
    [{ savings: {} }, TypeError, 'savings must have report()'],
    [{ clock: {} }, TypeError, 'clock must be a Clock'],
    [{ random: 1 }, TypeError, 'random must be a function'],
  ])('refuses %j', (options, kind, message) => {
    const make = (): unknown => setUp(options)
    expect(make).toThrow(kind)
    expect(make).toThrow(message)
  })
})
