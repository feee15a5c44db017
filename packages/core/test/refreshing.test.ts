import { describe, expect, it } from 'vitest'
import { type Cache, type CacheOptions, createCache, doNotCache } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate, mapStore, seededRandom, settle } from '@flow-cache/core/testing'

function setUp(options: Partial<CacheOptions> = {}): { clock: FakeClock; cache: Cache } {
  const clock = fakeClock()
  return { clock, cache: createCache({ store: mapStore(clock), clock, ttl: '100s', ...options }) }
}

describe('refreshAhead', () => {
  it('loads anew behind a hit once its share of ttl has passed, and not before', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.8 })
    let loads = 0
    const read = () => cache.getOrSet('k', () => `v${++loads}`)
    await read()
    await clock.advance(79_999)
    expect(await read()).toBe('v1')
    await cache.drain()
    expect(loads).toBe(1)
    await clock.advance(1)
    expect(await read()).toBe('v1')
    await cache.drain()
    expect(loads).toBe(2)
    expect(await read()).toBe('v2')
    expect((await cache.explain('k')).ttlMs).toBe(100_000)
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 1 })
  })

  it('refreshes once, however many readers come meanwhile', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.5 })
    await cache.set('k', 'old')
    await clock.advance(50_000)
    const closed = gate()
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, closed.wait().then(() => 'new')))
    expect(new Set(await Promise.all(Array.from({ length: 50 }, read)))).toEqual(new Set(['old']))
    await closed.arrived
    expect(await read()).toBe('old')
    expect((await cache.explain('k')).loading).toEqual({ sinceMs: 0, waiting: 0, background: true })
    closed.open()
    await cache.drain()
    expect(loads).toBe(1)
  })

  it('keeps an error in the background from readers, and tells of it by an event', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.5 })
    const down = new Error('down')
    const told: unknown[] = []
    cache.on('loadError', ({ error, background }) => told.push([error, background]))
    await cache.set('k', 'old')
    await clock.advance(50_000)
    let loads = 0
    const read = () => cache.getOrSet<string>('k', () => (loads++, Promise.reject(down)))
    expect(await read()).toBe('old')
    await cache.drain()
    expect(await read()).toBe('old')
    await cache.drain()
    expect(told).toEqual([[down, true]])
    expect(loads).toBe(1)
    await clock.advance(10_000)
    expect(await read()).toBe('old')
    await cache.drain()
    expect(loads).toBe(2)
  })

  it('gives the platform the work that outlives the call', async () => {
    const work: Promise<unknown>[] = []
    const { cache, clock } = setUp({ refreshAhead: 0.5, waitUntil: (promise) => work.push(promise) })
    await cache.set('k', 'old')
    await clock.advance(50_000)
    const closed = gate()
    expect(await cache.getOrSet('k', () => closed.wait().then(() => 'new'))).toBe('old')
    expect(work).toHaveLength(1)
    closed.open()
    await work[0]
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })

  it('gives it a promise that does not reject when the load fails', async () => {
    const work: Promise<unknown>[] = []
    const { cache, clock } = setUp({ refreshAhead: 0.5, waitUntil: (promise) => work.push(promise) })
    await cache.set('k', 'old')
    await clock.advance(50_000)
    await cache.getOrSet<string>('k', () => Promise.reject(new Error('down')))
    expect(work).toHaveLength(1)
    await expect(work[0]).resolves.toBeUndefined()
    expect(cache.stats().loads).toBe(1)
  })

  it('is not a reason to load for a read without a loader', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.5 })
    await cache.set('k', 'old')
    await clock.advance(90_000)
    expect(await cache.get('k')).toBe('old')
    expect(cache.stats()).toMatchObject({ loads: 0, loading: 0 })
  })

  it('keeps the last value when the entry ends while it is refreshed, for those who join', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.5 })
    await cache.set('k', 'old')
    await clock.advance(50_000)
    const closed = gate()
    const load = () => closed.wait().then(() => 'new')
    await cache.getOrSet('k', load)
    await clock.advance(50_000)
    const joined = cache.getOrSet('k', load)
    closed.open()
    expect(await joined).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })
})

describe('beta', () => {
  /** The ages, in seconds, at which a read refreshes an entry that took `loadMs`, over many draws. */
  async function refreshAges(beta: number, loadMs: number, seed: number): Promise<number[]> {
    const { cache, clock } = setUp({ beta, random: seededRandom(seed) })
    const ages: number[] = []
    for (let round = 0; round < 50; round++) {
      const key = `k${round}`
      const first = cache.getOrSet(key, async () => {
        await clock.advance(loadMs)
        return 0
      })
      await first
      const { loads } = cache.stats()
      let age = 0
      while (age < 99 && cache.stats().loads === loads) {
        await clock.advance(1_000)
        age++
        await cache.getOrSet(key, () => 1)
        await cache.drain()
      }
      if (cache.stats().loads > loads) ages.push(age)
    }
    return ages
  }

  it('refreshes at random moments, in the last half of ttl only', async () => {
    const ages = await refreshAges(1, 5_000, 1)
    expect(ages.length).toBeGreaterThan(40)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(50)
    expect(new Set(ages).size).toBeGreaterThan(5)
  })

  it('refreshes sooner the slower the load, and never in the first half', async () => {
    const mean = (ages: readonly number[]): number => ages.reduce((sum, age) => sum + age, 0) / ages.length
    const [slow, slower] = [await refreshAges(1, 2_000, 2), await refreshAges(1, 20_000, 2)]
    expect(mean(slower)).toBeLessThan(mean(slow))
    expect(Math.min(...(await refreshAges(1_000, 20_000, 3)))).toBeGreaterThanOrEqual(50)
  })

  it('of 0 refreshes nothing ahead', async () => {
    expect(await refreshAges(0, 20_000, 4)).toEqual([])
  })
})

describe('forceRefresh', () => {
  it('loads whatever is there, and replaces it', async () => {
    const { cache } = setUp()
    await cache.set('k', 'old')
    expect(await cache.getOrSet('k', () => 'new', { forceRefresh: true })).toBe('new')
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })

  it('is answered with the stale value if the load fails', async () => {
    const { cache } = setUp({ grace: '1h' })
    await cache.set('k', 'old')
    expect(
      await cache.getOrSet('k', () => Promise.reject<string>(new Error('down')), { forceRefresh: true }),
    ).toBe('old')
    expect(cache.stats()).toMatchObject({ loads: 1, staleHits: 1 })
  })

  it('is tried also while the origin is not asked after a failure', async () => {
    const { cache } = setUp({ errorTtl: '1h' })
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(await cache.getOrSet('k', () => 'v', { forceRefresh: true })).toBe('v')
    expect(cache.stats().loads).toBe(2)
  })

  it('does not join a load that began before it, and wins over it', async () => {
    const { cache } = setUp()
    const closed = gate()
    const before = cache.getOrSet('k', () => closed.wait().then(() => 'old'))
    await closed.arrived
    expect(await cache.getOrSet('k', () => 'new', { forceRefresh: true })).toBe('new')
    closed.open()
    expect(await before).toBe('old')
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats().loads).toBe(2)
  })
})

describe('skip', () => {
  it("'read' loads as if nothing were there, and keeps the value", async () => {
    const { cache } = setUp({ grace: '1h' })
    await cache.set('k', 'old')
    let previous: unknown = 'unset'
    const value = await cache.getOrSet('k', (context) => ((previous = context.previous), 'new'), {
      skip: 'read',
    })
    expect([value, previous, await cache.get('k')]).toEqual(['new', undefined, 'new'])
    const down = new Error('down')
    await expect(cache.getOrSet('k', () => Promise.reject(down), { skip: 'read' })).rejects.toBe(down)
    expect(cache.stats().loads).toBe(2)
  })

  it("'write' reads, and does not keep what it loads", async () => {
    const { cache } = setUp()
    expect(await cache.getOrSet('k', () => 'loaded', { skip: 'write' })).toBe('loaded')
    expect(await cache.has('k')).toBe(false)
    await cache.set('k', 'kept')
    expect(await cache.getOrSet('k', () => 'loaded', { skip: 'write' })).toBe('kept')
    expect(cache.stats().loads).toBe(1)
  })

  it("'both' runs the loader for this caller alone, and leaves everything as it is", async () => {
    const { cache } = setUp()
    await cache.set('k', 'kept')
    const closed = gate()
    let loads = 0
    const alone = () => cache.getOrSet('k', () => closed.wait().then(() => ++loads), { skip: 'both' })
    const both = [alone(), alone()]
    await closed.arrived
    expect((await cache.explain('k')).loading).toBeUndefined()
    closed.open()
    expect(await Promise.all(both)).toEqual([1, 2])
    expect(await cache.get('k')).toBe('kept')
    expect(loads).toBe(2)
  })
})

describe('a conditional refresh', () => {
  it('keeps the value it had, fresh anew, with the tags it had', async () => {
    const { cache, clock } = setUp({ grace: '1h' })
    const value = { name: 'one' }
    await cache.set('k', value, { tags: ['t'] })
    await clock.advance(150_000)
    let seen: unknown
    const read = cache.getOrSet('k', ({ previous }) => {
      seen = { state: previous!.state, ageMs: previous!.ageMs, tags: previous!.tags, value: previous!.value }
      return previous!
    })
    expect(await read).toBe(value)
    expect(seen).toEqual({ state: 'stale', ageMs: 150_000, tags: ['t'], value })
    expect(await cache.explain('k')).toMatchObject({ state: 'fresh', ageMs: 0, ttlMs: 100_000, tags: ['t'] })
    await cache.invalidateTags(['t'])
    expect(await cache.has('k')).toBe(false)
    expect(cache.stats().loads).toBe(1)
  })

  it('sees no previous where there is none', async () => {
    const { cache } = setUp()
    expect(await cache.getOrSet('k', ({ previous }) => previous === undefined)).toBe(true)
  })

  it('sees a fresh one when it runs ahead of time or is forced', async () => {
    const { cache, clock } = setUp({ refreshAhead: 0.5 })
    await cache.set('k', 'old')
    await clock.advance(50_000)
    const states: unknown[] = []
    await cache.getOrSet('k', ({ previous }) => (states.push(previous?.state), 'new'))
    await cache.drain()
    await cache.getOrSet('k', ({ previous }) => (states.push(previous?.state), 'new'), { forceRefresh: true })
    expect(states).toEqual(['fresh', 'fresh'])
  })

  it('is not kept when a tag it had is invalidated meanwhile', async () => {
    const { cache, clock } = setUp({ grace: '1h' })
    await cache.set('k', 'old', { tags: ['t'] })
    await clock.advance(100_000)
    const closed = gate()
    const read = cache.getOrSet<string>('k', async ({ previous }) => {
      await closed.wait()
      return previous!
    })
    await closed.arrived
    await cache.invalidateTags(['t'])
    closed.open()
    expect(await read).toBe('old')
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
  })
})

describe('what a loader decides', () => {
  it('doNotCache is handed to everyone who waits, and kept by nobody', async () => {
    const { cache } = setUp()
    let loads = 0
    const read = () => cache.getOrSet('k', async () => doNotCache(++loads))
    expect(await Promise.all([read(), read()])).toEqual([1, 1])
    expect(await cache.has('k')).toBe(false)
    expect(await read()).toBe(2)
    expect(loads).toBe(2)
  })

  it('ttl, grace and tags come from what it loaded', async () => {
    const { cache, clock } = setUp({ tags: ['all'] })
    await cache.getOrSet('k', ({ options }) => {
      expect(options).toMatchObject({ ttl: 100_000, grace: 0, tags: ['all'] })
      options.ttl = '2s'
      options.grace = '1m'
      options.tags = ['mine']
      return 1
    })
    expect(await cache.explain('k')).toMatchObject({ ttlMs: 2_000, graceMs: 60_000 })
    expect((await cache.explain('k')).tags).toContain('mine')
    await clock.advance(2_000)
    expect((await cache.getEntry('k'))?.state).toBe('stale')
    expect(cache.stats().loads).toBe(1)
  })

  it('a ttl of 0 keeps nothing, and what was there goes', async () => {
    const { cache, clock } = setUp({ grace: '1h' })
    await cache.set('k', 'old')
    await clock.advance(100_000)
    const read = cache.getOrSet('k', ({ options }) => {
      options.ttl = 0
      return 'new'
    })
    expect(await read).toBe('new')
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(cache.stats().loads).toBe(1)
  })

  it('its options are its own: another load has the defaults', async () => {
    const { cache } = setUp({ tags: ['all'] })
    const tags: unknown[] = []
    const load = ({ options }: { options: { ttl?: unknown; tags?: readonly string[] | undefined } }) => {
      tags.push(options.tags)
      ;(options.tags as string[]).push('added')
      options.ttl = 1
      return 1
    }
    await cache.getOrSet('a', load)
    await cache.getOrSet('b', ({ options }) => (tags.push(options.tags, options.ttl), 1))
    await settle()
    expect(tags).toEqual([['all', 'added'], ['all'], 100_000])
  })
})
