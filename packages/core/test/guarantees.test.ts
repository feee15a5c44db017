import { describe, expect, it } from 'vitest'
import {
  type Cache,
  type CacheEvents,
  CacheError,
  type CacheOptions,
  createCache,
  doNotCache,
  type Loader,
} from '@flow-cache/core'
import {
  distantStore,
  type FakeClock,
  fakeClock,
  type FaultyStore,
  faultyStore,
  gate,
  mapStore,
  scheduler,
  settle,
  sharedServer,
} from '@flow-cache/core/testing'

function setUp(options: Partial<CacheOptions> = {}): { clock: FakeClock; cache: Cache } {
  const clock = fakeClock()
  return { clock, cache: createCache({ store: mapStore(clock), clock, ...options }) }
}

function setUpFaulty(options: Partial<CacheOptions> = {}): {
  clock: FakeClock
  store: FaultyStore
  cache: Cache
} {
  const clock = fakeClock()
  const store = faultyStore(mapStore(clock))
  return { clock, store, cache: createCache({ store, clock, ...options }) }
}

/** What a load with a tag brings to the one who began it, and to one who comes after the change, while it is still at work. */
async function across(cache: Cache, change: () => Promise<void>): Promise<readonly string[]> {
  const loads = gate()
  const before = cache.getOrSet('k', () => loads.wait().then(() => 'old'), { tags: ['t'] })
  await loads.arrived
  await change()
  const after = cache.getOrSet('k', () => 'new', { tags: ['t'] })
  await settle()
  loads.open()
  return Promise.all([before, after])
}

describe('G1: one load', () => {
  it('a hundred readers of one missing key cost one load', async () => {
    const { cache } = setUp()
    let loads = 0
    const read = () => cache.getOrSet('k', async () => `v${++loads}`)
    expect(new Set(await Promise.all(Array.from({ length: 100 }, read)))).toEqual(new Set(['v1']))
    expect(loads).toBe(1)
    expect(cache.stats()).toMatchObject({ misses: 100, coalesced: 99, loads: 1 })
  })

  it('a hundred readers of an entry that has gone stale cost one load', async () => {
    const { cache, clock } = setUp({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await clock.advance(1_000)
    let loads = 0
    const read = () => cache.getOrSet('k', async () => `v${++loads}`)
    expect(new Set(await Promise.all(Array.from({ length: 100 }, read)))).toEqual(new Set(['v1']))
    expect(loads).toBe(1)
  })

  it('a hundred readers of a slow store cost one load', async () => {
    const { cache, store } = setUpFaulty()
    const slow = gate()
    store.fail('lag', () => slow.wait())
    let loads = 0
    const reads = Array.from({ length: 100 }, () => cache.getOrSet('k', async () => `v${++loads}`))
    await slow.arrived
    slow.open()
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['v1']))
    expect(loads).toBe(1)
  })

  it('loads of different keys do not wait for each other', async () => {
    const { cache } = setUp()
    const closed = gate()
    const slow = cache.getOrSet('slow', () => closed.wait())
    expect(await cache.getOrSet('quick', () => 1)).toBe(1)
    closed.open()
    await slow
    expect(cache.stats().loads).toBe(2)
  })

  it('a reader who comes after the load has a hit', async () => {
    const { cache } = setUp()
    let loads = 0
    const read = () => cache.getOrSet('k', () => ++loads)
    await read()
    expect(await read()).toBe(1)
    expect(loads).toBe(1)
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 })
  })

  it('a key whose value is not kept is loaded once at a time', async () => {
    const { cache } = setUp({ ttl: 0 })
    let loads = 0
    const read = () => cache.getOrSet('k', async () => ++loads)
    expect(await Promise.all([read(), read()])).toEqual([1, 1])
    expect(await read()).toBe(2)
    expect(loads).toBe(2)
  })
})

describe('G2: no stale fill', () => {
  const changes: Record<string, (cache: Cache) => Promise<unknown>> = {
    delete: (cache) => cache.delete('k'),
    deleteMany: (cache) => cache.deleteMany(['x', 'k']),
    expire: (cache) => cache.expire('k'),
    invalidateTags: (cache) => cache.invalidateTags(['t']),
    clear: (cache) => cache.clear(),
    clearPattern: (cache) => cache.clearPattern('?'),
    'set with a ttl of 0': (cache) => cache.set('k', 'set', { ttl: 0 }),
  }
  const scopes: Record<string, (root: Cache) => Cache> = {
    'the root': (root) => root,
    'a namespace': (root) => root.namespace('n'),
    'a nested namespace': (root) => root.namespace('n').namespace('inner'),
  }

  for (const [change, apply] of Object.entries(changes)) {
    for (const [place, within] of Object.entries(scopes)) {
      it(`a load overtaken by ${change} in ${place} is given to those who joined before, and to nobody later`, async () => {
        const { cache: root } = setUp()
        const cache = within(root)
        const closed = gate()
        let loads = 0
        const load = async (): Promise<string> => {
          loads++
          await closed.wait()
          return 'old'
        }
        const before = [
          cache.getOrSet('k', load, { tags: ['t'] }),
          cache.getOrSet('k', load, { tags: ['t'] }),
        ]
        await closed.arrived
        await apply(cache)
        const after = cache.getOrSet('k', () => `new${++loads}`, { tags: ['t'] })
        await settle()
        closed.open()
        expect(await Promise.all(before)).toEqual(['old', 'old'])
        expect(await after).toBe('new2')
        expect(await cache.get('k')).toBe('new2')
        expect(loads).toBe(2)
      })

      it(`a load overtaken by ${change} in ${place} is not kept where nobody asks meanwhile`, async () => {
        const { cache: root } = setUp()
        const cache = within(root)
        const closed = gate()
        const before = cache.getOrSet('k', () => closed.wait().then(() => 'old'), {
          tags: ['t'],
          grace: '1h',
        })
        await closed.arrived
        await apply(cache)
        closed.open()
        await before
        expect(await cache.has('k')).toBe(false)
        expect(await cache.getEntry('k')).toBeUndefined()
        expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
      })
    }
  }

  for (const change of ['set', 'setMany'] as const) {
    it(`a load overtaken by ${change} does not replace what was set`, async () => {
      const { cache } = setUp()
      const closed = gate()
      const before = cache.getOrSet('k', () => closed.wait().then(() => 'old'))
      await closed.arrived
      await (change === 'set' ? cache.set('k', 'new') : cache.setMany([['k', 'new']]))
      expect(await cache.getOrSet('k', () => 'never')).toBe('new')
      closed.open()
      expect(await before).toBe('old')
      expect(await cache.get('k')).toBe('new')
      expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
    })
  }

  for (const outer of ['the root', 'the namespace around it'] as const) {
    it(`a load in a namespace is overtaken by a clear of ${outer}`, async () => {
      const { cache: root } = setUp()
      const around = root.namespace('a')
      const inner = around.namespace('b')
      const closed = gate()
      const before = inner.getOrSet('k', () => closed.wait().then(() => 'old'))
      await closed.arrived
      await (outer === 'the root' ? root : around).clear()
      closed.open()
      expect(await before).toBe('old')
      expect(await inner.has('k')).toBe(false)
      expect(root.stats()).toMatchObject({ loads: 1, fenced: 1 })
    })
  }

  it('a load that begins and ends while a slow store deletes is not kept', async () => {
    const { cache, store } = setUpFaulty()
    const slow = gate()
    store.fail('lag', () => slow.wait())
    const deleting = cache.delete('k')
    await slow.arrived
    store.fail('none')
    expect(await cache.getOrSet('k', () => 'during')).toBe('during')
    slow.open()
    await deleting
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
  })

  it('a load that begins and ends while a slow store clears is not kept', async () => {
    const { cache, store } = setUpFaulty()
    const slow = gate()
    store.fail('lag', () => slow.wait())
    const clearing = cache.clear()
    await slow.arrived
    store.fail('none')
    await cache.getOrSet('k', () => 'during')
    slow.open()
    await clearing
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().loads).toBe(1)
  })

  it('a tag that the loader adds is checked back to the beginning of the load', async () => {
    const { cache } = setUp()
    const closed = gate()
    let loads = 0
    const read = () =>
      cache.getOrSet('k', async ({ options }) => {
        const value = `v${++loads}`
        await closed.wait()
        options.tags = ['late']
        return value
      })
    const before = read()
    await closed.arrived
    await cache.invalidateTags(['late'])
    const after = read()
    await settle()
    closed.open()
    expect(await before).toBe('v1')
    expect(await after).toBe('v2')
    expect(await cache.get('k')).toBe('v2')
    expect(loads).toBe(2)
  })

  it('a tag that was invalidated before the load began does not stand in its way', async () => {
    const { cache } = setUp()
    await cache.invalidateTags(['late'])
    await cache.getOrSet('k', ({ options }) => {
      options.tags = ['late']
      return 1
    })
    expect(await cache.get('k')).toBe(1)
    await cache.invalidateTags(['late'])
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().loads).toBe(1)
  })

  for (const by of ['this process', 'another one'] as const) {
    it(`a load whose tag changes as its version is asked for, and again by ${by}, is given to nobody who comes later`, async () => {
      const clock = fakeClock()
      const answer = gate()
      let asks = 0
      const server = sharedServer(clock, (call) =>
        call === 'versions answers' && ++asks === 1 ? answer.wait() : undefined,
      )
      const [here, there] = [server.connect(), server.connect()].map((store) => createCache({ store, clock }))
      const loads = gate()
      const before = here!.getOrSet('k', () => loads.wait().then(() => 'old'), { tags: ['t'] })
      await answer.arrived
      await there!.invalidateTags(['t'])
      answer.open()
      await loads.arrived
      await (by === 'this process' ? here! : there!).invalidateTags(['t'])
      const after = here!.getOrSet('k', () => 'new', { tags: ['t'] })
      await settle()
      loads.open()
      expect([await before, await after]).toEqual(['old', 'new'])
      expect(await here!.get('k')).toBe('new')
    })
  }

  it('a load overtaken by its tag is given to nobody who comes later, also where nobody tells of tags', async () => {
    const clock = fakeClock()
    const { log: _, ...store } = sharedServer(clock).connect()
    const cache = createCache({ store, clock })
    expect(await across(cache, () => cache.invalidateTags(['t']))).toEqual(['old', 'new'])
  })

  it('a load whose tags could not be read is given to nobody who comes after one of them changed', async () => {
    const clock = fakeClock()
    const store = faultyStore(sharedServer(clock).connect())
    const cache = createCache({ store, clock })
    store.fail('reject')
    const change = (): Promise<void> => {
      store.fail('none')
      return cache.invalidateTags(['t'])
    }
    expect(await across(cache, change)).toEqual(['old', 'new'])
  })

  it('a load overtaken by its tag is given to nobody who comes later, also while the store is left alone', async () => {
    const clock = fakeClock()
    const { log: _, ...shared } = sharedServer(clock).connect()
    const store = faultyStore(shared)
    const cache = createCache({ store, clock, circuit: { failures: 1 } })
    const change = async (): Promise<void> => {
      store.fail('reject')
      await cache.get('another')
      await cache.invalidateTags(['t'])
    }
    expect(await across(cache, change)).toEqual(['old', 'new'])
  })

  it('a stale value whose tag dies while its load fails is served to nobody, also where nobody tells of tags', async () => {
    const clock = fakeClock()
    const { log: _, ...store } = sharedServer(clock).connect()
    const cache = createCache({ store, clock, ttl: '1s', grace: '1h' })
    await cache.set('k', 'old', { tags: ['t'] })
    await clock.advance(1_000)
    const loads = gate()
    const down = new Error('down')
    const read = cache.getOrSet('k', () => loads.wait().then(() => Promise.reject(down)))
    await loads.arrived
    await cache.invalidateTags(['t'])
    loads.open()
    await expect(read).rejects.toBe(down)
  })

  it('a load whose added tag changes while it is stored is given to nobody who comes later', async () => {
    const { cache, store } = setUpFaulty()
    const closed = gate()
    const load = (): Promise<string> =>
      cache.getOrSet('k', ({ options }) => {
        options.tags = ['t']
        store.fail('lag', () => closed.wait())
        return 'old'
      })
    const before = load()
    await closed.arrived
    await cache.invalidateTags(['t'])
    const after = cache.getOrSet('k', () => 'new')
    await settle()
    closed.open()
    expect([await before, await after]).toEqual(['old', 'new'])
  })

  it('a load whose added tag changes while its version is asked for is given to nobody who comes later', async () => {
    const clock = fakeClock()
    const closed = gate()
    let asks = 0
    const pace = (call: string): Promise<void> | undefined =>
      call === 'versions answers' && ++asks === 2 ? closed.wait() : undefined
    const { log: _, ...store } = sharedServer(clock, pace).connect()
    const cache = createCache({ store, clock })
    const before = cache.getOrSet('k', ({ options }) => {
      options.tags = ['t']
      return 'old'
    })
    await closed.arrived
    await cache.invalidateTags(['t'])
    const after = cache.getOrSet('k', () => 'new')
    await settle()
    closed.open()
    expect([await before, await after]).toEqual(['old', 'new'])
  })

  for (const kept of ['skip: write', 'doNotCache'] as const) {
    it(`a load that is not kept (${kept}) and whose added tag changes is given to nobody who comes later`, async () => {
      const { cache } = setUp()
      const closed = gate()
      const load: Loader<string> = async ({ options }) => {
        await closed.wait()
        options.tags = ['t']
        return kept === 'doNotCache' ? doNotCache('old') : 'old'
      }
      const before = cache.getOrSet('k', load, kept === 'doNotCache' ? {} : { skip: 'write' })
      await closed.arrived
      await cache.invalidateTags(['t'])
      const after = cache.getOrSet('k', () => 'new')
      closed.open()
      expect([await before, await after]).toEqual(['old', 'new'])
    })
  }

  it('a stale value from before a clear stands in for no load that began after it', async () => {
    const { cache, clock } = setUp({ ttl: '1s', grace: '1h', errorTtl: 0 })
    await cache.set('k', 'old')
    await clock.advance(1_000)
    const [first, second] = [gate(), gate()]
    const down = new Error('down')
    const absent = cache.getOrSetMany(['k'], () => first.wait().then(() => new Map<string, string>()))
    const joins = cache.getOrSetMany(['k'], () => second.wait().then(() => Promise.reject(down)))
    await first.arrived
    await cache.clear()
    first.open()
    await second.arrived
    const after = cache.getOrSet('k', () => 'not asked')
    await settle()
    second.open()
    expect(await absent).toEqual(new Map())
    await expect(joins).rejects.toBe(down)
    await expect(after).rejects.toBe(down)
  })

  for (const change of ['set', 'clear', 'clearPattern'] as const) {
    it(`an expire that reads while a ${change} begins puts nothing old back, in a store that is far away`, async () => {
      const clock = fakeClock()
      const order = scheduler(1)
      const cache = createCache({
        store: distantStore(mapStore(clock), order),
        clock,
        grace: '1h',
        timeouts: { store: '1s' },
      })
      await order.run([() => cache.set('k', 'old')])
      const changes = {
        set: () => cache.set('k', 'new'),
        clear: () => cache.clear(),
        clearPattern: () => cache.clearPattern('*'),
      }
      await order.run([() => cache.expire('k'), async () => changes[change]()])
      const found: unknown[] = []
      await order.run([async () => found.push((await cache.getEntry('k'))?.value)])
      expect(found).toEqual([change === 'set' ? 'new' : undefined])
    })
  }

  it('a stale value whose tag dies while a joined load fails is served to nobody', async () => {
    const { cache, clock } = setUp({ ttl: '1m', grace: '1h' })
    await cache.set('k', 'old', { tags: ['t'] })
    await clock.advance(60_000)
    const closed = gate()
    const down = new Error('the origin is down')
    let loads = 0
    const read = () =>
      cache.getOrSet('k', async () => {
        loads++
        await closed.wait()
        throw down
      })
    const before = read()
    await closed.arrived
    await cache.invalidateTags(['t'])
    const after = read()
    closed.open()
    await expect(before).rejects.toBe(down)
    await expect(after).rejects.toBe(down)
    expect(loads).toBe(1)
  })

  for (const change of ['delete', 'clear'] as const) {
    it(`a stale value that is gone by ${change} while its load fails is not served`, async () => {
      const { cache, clock } = setUp({ ttl: '1m', grace: '1h' })
      await cache.set('k', 'old')
      await clock.advance(60_000)
      const closed = gate()
      const down = new Error('the origin is down')
      const read = cache.getOrSet('k', () => closed.wait().then(() => Promise.reject(down)))
      await closed.arrived
      await (change === 'delete' ? cache.delete('k') : cache.clear())
      closed.open()
      await expect(read).rejects.toBe(down)
      expect(cache.stats()).toMatchObject({ loads: 1, staleHits: 0 })
    })
  }

  it('a background refresh overtaken by set does not replace what was set', async () => {
    const { cache, clock } = setUp({ ttl: '1m', refreshAhead: 0.5 })
    await cache.set('k', 'old')
    await clock.advance(30_000)
    const closed = gate()
    expect(await cache.getOrSet('k', () => closed.wait().then(() => 'refreshed'))).toBe('old')
    await closed.arrived
    await cache.set('k', 'new')
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
  })

  it('a load that finishes behind a soft timeout and was overtaken is not kept', async () => {
    const { cache, clock } = setUp({ ttl: '1m', grace: '1h', timeouts: { soft: 0 } })
    await cache.set('k', 'stale')
    await clock.advance(60_000)
    const closed = gate()
    expect(await cache.getOrSet('k', () => closed.wait().then(() => 'old'))).toBe('stale')
    await closed.arrived
    await cache.delete('k')
    closed.open()
    await cache.drain()
    expect(await cache.has('k')).toBe(false)
    expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
  })

  it('a load that was given up stores nothing when it answers after all', async () => {
    const { cache, clock } = setUp({ timeouts: { load: '1s' } })
    const closed = gate()
    const first = cache.getOrSet('k', () => closed.wait().then(() => 'late'))
    const given = expect(first).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT', key: 'k' })
    await clock.advance(1_000)
    await given
    closed.open()
    await settle()
    expect(await cache.has('k')).toBe(false)
    expect(cache.stats().loads).toBe(1)
  })
})

describe('G4: a sick store never hurts', () => {
  for (const fault of ['reject', 'throw', 'hang', 'lag'] as const) {
    it(`a miss with a store that does "${fault}" costs at most timeouts.store, once`, async () => {
      const { cache, clock, store } = setUpFaulty()
      const never = gate()
      store.fail(fault, () => never.wait())
      let value: unknown
      void cache.getOrSet('k', () => 'v').then((answer) => (value = answer))
      await clock.advance(200)
      expect(value).toBe('v')
      expect(store.calls()).toBe(1)
      expect(cache.stats()).toMatchObject({ misses: 1, loads: 1, errors: 1 })
    })

    it(`every method answers with a store that does "${fault}"`, async () => {
      const { cache, clock, store } = setUpFaulty({ circuit: { failures: Infinity } })
      await cache.set('k', 'old')
      const never = gate()
      store.fail(fault, () => never.wait())
      const answers = Promise.all([
        cache.get('k'),
        cache.getEntry('k'),
        cache.getMany(['k', 'l']),
        cache.has('k'),
        cache.set('k', 'new'),
        cache.setMany({ k: 'new', l: 'new' }),
        cache.delete('k'),
        cache.deleteMany(['k', 'l']),
        cache.expire('k'),
        cache.invalidateTags(['t']),
        cache.clear(),
        cache.getOrSetMany(['k', 'l'], (keys) => keys.map(() => 'loaded')),
        cache.explain('k').then(({ state }) => state),
      ])
      await clock.advance(1_000)
      const none = undefined
      const loaded = new Map([
        ['k', 'loaded'],
        ['l', 'loaded'],
      ])
      expect(await answers).toEqual([
        none,
        none,
        new Map(),
        false,
        none,
        none,
        false,
        0,
        false,
        none,
        none,
        loaded,
        'absent',
      ])
      store.fail('none')
      await cache.close()
      expect(clock.pending).toBe(0)
    })

    it(`after failures in a row, a store that does "${fault}" is not asked any more`, async () => {
      const { cache, clock, store } = setUpFaulty()
      const never = gate()
      store.fail(fault, () => never.wait())
      for (let i = 0; i < 3; i++) {
        const read = cache.get(`k${i}`)
        await clock.advance(200)
        expect(await read).toBeUndefined()
      }
      expect(store.calls()).toBe(3)
      const before = clock.now()
      expect(await cache.getOrSet('k', () => 'v')).toBe('v')
      expect(await cache.get('k')).toBeUndefined()
      expect(clock.now()).toBe(before)
      expect(store.calls()).toBe(0)
    })
  }

  async function open(cache: Cache, store: FaultyStore): Promise<void> {
    store.fail('reject')
    for (let i = 0; i < 3; i++) await cache.get('k')
    store.calls()
  }

  it('after the cooldown one call is let through; while it is under way the others cost nothing', async () => {
    const { cache, clock, store } = setUpFaulty()
    await open(cache, store)
    await clock.advance(1_000)
    store.fail('hang')
    const probe = cache.get('a')
    expect(await cache.get('b')).toBeUndefined()
    expect(await cache.getOrSet('c', () => 'v')).toBe('v')
    expect(store.calls()).toBe(1)
    await clock.advance(200)
    expect(await probe).toBeUndefined()
    expect(await cache.get('d')).toBeUndefined()
    expect(store.calls()).toBe(0)
  })

  it('a store that is back is used again, without a restart', async () => {
    const { cache, clock, store } = setUpFaulty()
    await cache.set('k', 'kept')
    const states: string[] = []
    cache.on('circuit', ({ state }) => states.push(state))
    await open(cache, store)
    store.fail('none')
    expect(await cache.get('k')).toBeUndefined()
    await clock.advance(1_000)
    expect(await cache.get('k')).toBe('kept')
    await cache.set('l', 1)
    expect(await cache.get('l')).toBe(1)
    expect(states).toEqual(['open', 'half-open', 'closed'])
  })

  it('a probe that fails keeps the circuit open for another cooldown', async () => {
    const { cache, clock, store } = setUpFaulty({ circuit: { failures: 1, cooldown: '5s' } })
    const states: string[] = []
    cache.on('circuit', ({ state }) => states.push(state))
    store.fail('reject')
    await cache.get('k')
    await clock.advance(5_000)
    await cache.get('k')
    await clock.advance(4_999)
    expect(store.calls()).toBe(2)
    await cache.get('k')
    expect(store.calls()).toBe(0)
    await clock.advance(1)
    await cache.get('k')
    expect(store.calls()).toBe(1)
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'open'])
  })

  it('failures that are not in a row open nothing', async () => {
    const { cache, store } = setUpFaulty()
    for (let i = 0; i < 5; i++) {
      store.fail('reject')
      await cache.get('k')
      await cache.get('k')
      store.fail('none')
      await cache.get('k')
    }
    expect(store.calls()).toBe(15)
  })

  it('what a store far away answers at once says nothing of its health: the circuit opens for one caller at a time', async () => {
    const server = sharedServer(fakeClock())
    const store = faultyStore(server.connect())
    const here = { ...store, tags: { ...store.tags!, position: () => '1' } }
    const cache = createCache({ store: here })
    const told: string[] = []
    cache.on('circuit', ({ state }) => told.push(state))
    cache.on('error', ({ during }) => told.push(during))
    store.fail('lag')
    expect(await cache.getOrSet('before', () => 1)).toBe(1)
    store.fail('reject')
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(await cache.getOrSet(key, () => key)).toBe(key)
    expect(told.filter((what) => what === 'open')).toEqual(['open'])
    store.calls()
    told.length = 0
    expect(await cache.getOrSet('f', () => 1)).toBe(1)
    // A call that is not made does not fail.
    expect([store.calls(), told]).toEqual([0, []])
    await cache.close()
  })

  it('a value that could not be written is loaded again', async () => {
    const { cache, clock, store } = setUpFaulty()
    let loads = 0
    const read = () => cache.getOrSet('k', () => ++loads)
    store.fail('reject')
    expect(await read()).toBe(1)
    store.fail('none')
    await clock.advance(1_000)
    expect(await read()).toBe(2)
    expect(await read()).toBe(2)
    expect(loads).toBe(2)
  })

  it('a store error is an event, with what failed and its cause', async () => {
    const { cache, store } = setUpFaulty()
    const errors: CacheEvents['error'][] = []
    cache.on('error', (event) => errors.push(event))
    store.fail('reject')
    await cache.get('k')
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ during: 'get', key: 'k', error: { code: 'ERR_STORE' } })
    expect((errors[0]!.error as Error).cause).toMatchObject({ message: 'the store rejects' })
  })

  it("with onStoreError: 'throw' the caller gets the store's failure", async () => {
    const { cache, clock, store } = setUpFaulty({ onStoreError: 'throw' })
    store.fail('throw')
    await expect(cache.get('k')).rejects.toMatchObject({ code: 'ERR_STORE' })
    store.fail('hang')
    const late = expect(cache.set('k', 1)).rejects.toMatchObject({ code: 'ERR_STORE_TIMEOUT' })
    await clock.advance(200)
    await late
    store.fail('reject')
    await expect(cache.delete('k')).rejects.toBeInstanceOf(CacheError)
    await expect(cache.getOrSet('other', () => 1)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
  })

  it('onStoreError can look at the failure, and throw one of its own', async () => {
    const own = new Error('503')
    const seen: Error[] = []
    const { cache, store } = setUpFaulty({
      onStoreError(error) {
        seen.push(error)
        if (seen.length > 1) throw own
      },
    })
    store.fail('reject')
    expect(await cache.get('k')).toBeUndefined()
    await expect(cache.get('k')).rejects.toBe(own)
    expect(seen).toHaveLength(2)
    expect(seen[0]).toMatchObject({ code: 'ERR_STORE' })
  })

  const removals: Record<string, (cache: Cache) => Promise<unknown>> = {
    delete: (cache) => cache.delete('k'),
    deleteMany: (cache) => cache.deleteMany(['k']),
    set: (cache) => cache.set('k', 'new'),
    setMany: (cache) => cache.setMany({ k: 'new' }),
    expire: (cache) => cache.expire('k'),
  }
  for (const [name, remove] of Object.entries(removals)) {
    it(`after a ${name} that failed, the old value is not served when the store is back`, async () => {
      const { cache, clock, store } = setUpFaulty({ grace: '1h' })
      await cache.set('k', 'old')
      store.fail('reject')
      await remove(cache)
      store.fail('none')
      await clock.advance(1_000)
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getMany(['k'])).toEqual(new Map())
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
      expect(await cache.get('k')).toBe('loaded')
    })

    it(`after a ${name} that failed, the old value is not served while its removal fails still`, async () => {
      const { cache, store } = setUpFaulty({ circuit: { failures: Infinity } })
      await cache.set('k', 'old')
      store.fail('reject')
      await remove(cache)
      store.fail('none')
      const failing = store.delete
      store.delete = () => Promise.reject(new Error('read-only'))
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
      store.delete = failing
      expect(await cache.get('k')).toBeUndefined()
    })
  }

  it('after a clear that failed, old values are not served when the store is back', async () => {
    const { cache, clock, store } = setUpFaulty()
    await cache.set('k', 'old')
    store.fail('reject')
    await cache.clear()
    store.fail('none')
    await clock.advance(1_000)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getMany(['k'])).toEqual(new Map())
  })

  it('an expire that was asked for before does not pay for a removal that failed', async () => {
    const clock = fakeClock()
    const { local: _, ...inner } = mapStore(clock)
    const slow = gate()
    let isSick = false
    const cache = createCache({
      clock,
      store: {
        ...inner,
        get: (key) => slow.wait().then(() => inner.get(key)),
        delete: (key) => (isSick ? Promise.reject(new Error('no')) : inner.delete(key)),
      },
    })
    await cache.set('k', 'old')
    const expired = cache.expire('k')
    await slow.arrived
    isSick = true
    await cache.delete('k')
    slow.open()
    await expired
    isSick = false
    expect(await cache.get('k')).toBeUndefined()
  })

  it('a set that works pays what was owed', async () => {
    const { cache, clock, store } = setUpFaulty()
    await cache.set('k', 'old')
    store.fail('reject')
    await cache.delete('k')
    store.fail('none')
    await clock.advance(1_000)
    await cache.set('k', 'new')
    expect(await cache.get('k')).toBe('new')
  })

  it('nothing is served beyond its grace while the store is down', async () => {
    const { cache, clock, store } = setUpFaulty({ ttl: '1m', grace: '1m' })
    await cache.set('k', 'old')
    await clock.advance(60_000)
    const down = new Error('down')
    const read = () => cache.getOrSet<string>('k', () => Promise.reject(down))
    expect(await read()).toBe('old')
    await clock.advance(60_000)
    await expect(read()).rejects.toBe(down)
    store.fail('reject')
    await expect(read()).rejects.toBe(down)
  })
})

describe('G5: a sick origin never hurts twice', () => {
  const down = new Error('the origin is down')
  const fails = () => Promise.reject<string>(down)

  async function stale(options: Partial<CacheOptions> = {}): Promise<{ cache: Cache; clock: FakeClock }> {
    const { cache, clock } = setUp({ ttl: '1m', grace: '1h', ...options })
    await cache.set('k', 'old')
    await clock.advance(60_000)
    return { cache, clock }
  }

  it('a failing loader is answered with the stale value, and an event', async () => {
    const { cache } = await stale()
    const told: unknown[] = []
    cache.on('staleHit', (event) => told.push(event))
    cache.on('loadError', (event) => told.push(event))
    expect(await cache.getOrSet('k', fails)).toBe('old')
    expect(told).toEqual([
      { key: 'k', namespace: '', ms: 0, background: false, error: down },
      { key: 'k', namespace: '', reason: 'error', error: down, joined: false },
    ])
    expect(cache.stats()).toMatchObject({ staleHits: 1, misses: 0, loads: 1, loadErrors: 1 })
  })

  it('where there is a stale value, a failing loader is not asked again for ten seconds', async () => {
    const { cache, clock } = await stale()
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, fails()))
    expect(await read()).toBe('old')
    await clock.advance(9_999)
    expect(await read()).toBe('old')
    expect(loads).toBe(1)
    expect((await cache.explain('k')).heldOff).toEqual({ forMs: 1, error: down })
    await clock.advance(1)
    expect(await read()).toBe('old')
    expect(loads).toBe(2)
  })

  it('where there is none, a failing loader is asked again at once', async () => {
    const { cache } = setUp()
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, fails()))
    await expect(read()).rejects.toBe(down)
    await expect(read()).rejects.toBe(down)
    expect(loads).toBe(2)
  })

  it('with errorTtl everyone gets the same error until it is over', async () => {
    const { cache, clock } = setUp({ errorTtl: '5s' })
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, fails()))
    await expect(read()).rejects.toBe(down)
    await clock.advance(4_999)
    await expect(read()).rejects.toBe(down)
    expect(loads).toBe(1)
    await clock.advance(1)
    await expect(read()).rejects.toBe(down)
    expect(loads).toBe(2)
  })

  it('an errorTtl of 0 asks the origin at every read, also where there is a stale value', async () => {
    const { cache } = await stale({ errorTtl: 0 })
    let loads = 0
    const read = () => cache.getOrSet('k', () => (loads++, fails()))
    expect([await read(), await read()]).toEqual(['old', 'old'])
    expect(loads).toBe(2)
  })

  it('a set ends the time in which the origin is not asked', async () => {
    const { cache, clock } = setUp({ errorTtl: '1h', ttl: '1s' })
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
    await cache.set('k', 'set')
    await clock.advance(1_000)
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(cache.stats().loads).toBe(2)
  })

  it('a stale value is not served past its grace', async () => {
    const { cache, clock } = await stale()
    await clock.advance(3_600_000 - 1)
    expect(await cache.getOrSet('k', fails)).toBe('old')
    await clock.advance(1)
    await expect(cache.getOrSet('k', fails, { errorTtl: 0 })).rejects.toBe(down)
  })

  it('without grace nothing stands in for a failing load', async () => {
    const { cache, clock } = setUp({ ttl: '1m' })
    await cache.set('k', 'old')
    await clock.advance(60_000)
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
  })

  it('an expired entry stands in for a failing load', async () => {
    const { cache } = setUp({ ttl: '1m', grace: '1h' })
    await cache.set('k', 'old')
    expect(await cache.expire('k')).toBe(true)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', fails)).toBe('old')
    expect(cache.stats().loads).toBe(1)
  })

  it('after the soft timeout the stale value is served, and the load finishes behind', async () => {
    const { cache, clock } = await stale({ timeouts: { soft: 100 } })
    const closed = gate()
    let answer: unknown
    const load = () => closed.wait().then(() => 'new')
    void cache.getOrSet('k', load).then((value) => (answer = value))
    await clock.advance(99)
    expect(answer).toBeUndefined()
    await clock.advance(1)
    expect(answer).toBe('old')
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats()).toMatchObject({ staleHits: 1, loads: 1 })
  })

  it('a soft timeout of 0 serves the stale value at once', async () => {
    const { cache, clock } = await stale({ timeouts: { soft: 0 } })
    const before = clock.now()
    const closed = gate()
    expect(await cache.getOrSet('k', () => closed.wait().then(() => 'new'))).toBe('old')
    expect(clock.now()).toBe(before)
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })

  it('without a stale value the soft timeout waits on', async () => {
    const { cache, clock } = setUp({ timeouts: { soft: 100 } })
    const closed = gate()
    const read = cache.getOrSet('k', () => closed.wait().then(() => 'new'))
    await clock.advance(1_000)
    closed.open()
    expect(await read).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })

  it('after the hard timeout the caller is told, and the load finishes behind', async () => {
    const { cache, clock } = setUp({ timeouts: { hard: '2s' } })
    const closed = gate()
    const read = cache.getOrSet('k', () => closed.wait().then(() => 'new'))
    const late = expect(read).rejects.toMatchObject({ code: 'ERR_TIMEOUT', key: 'k' })
    await clock.advance(2_000)
    await late
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('new')
    expect(cache.stats().loads).toBe(1)
  })

  it('after the hard timeout a stale value is served where there is one', async () => {
    const { cache, clock } = await stale({ timeouts: { hard: '2s' } })
    const closed = gate()
    const read = cache.getOrSet('k', () => closed.wait().then(() => 'new'))
    await clock.advance(2_000)
    expect(await read).toBe('old')
    closed.open()
    await cache.drain()
    expect(cache.stats()).toMatchObject({ loads: 1, staleHits: 1 })
  })

  it('each caller has patience of its own', async () => {
    const { cache, clock } = setUp()
    const closed = gate()
    const load = () => closed.wait().then(() => 'v')
    const patient = cache.getOrSet('k', load)
    const hasty = expect(cache.getOrSet('k', load, { timeouts: { hard: 10 } })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    })
    await clock.advance(10)
    await hasty
    closed.open()
    expect(await patient).toBe('v')
    expect(cache.stats().loads).toBe(1)
  })

  it("the loader's own error reaches everyone as it is, once a flight", async () => {
    const { cache } = setUp()
    let loads = 0
    let told = 0
    cache.on('loadError', () => told++)
    const thrown = Object.freeze({ code: 503 })
    const read = () =>
      cache.getOrSet('k', async () => {
        loads++
        throw thrown
      })
    const answers = await Promise.allSettled(Array.from({ length: 10 }, read))
    expect(answers.every((answer) => answer.status === 'rejected' && answer.reason === thrown)).toBe(true)
    expect(loads).toBe(1)
    expect(told).toBe(1)
    expect(cache.stats()).toMatchObject({ loads: 1, loadErrors: 1, misses: 10, coalesced: 9 })
  })
})

describe('G9: bounded', () => {
  it('one load more than maxLoads is refused, and told so', async () => {
    const { cache } = setUp({ maxLoads: 2 })
    const closed = gate()
    const load = () => closed.wait().then(() => 'v')
    const reads = [cache.getOrSet('a', load), cache.getOrSet('b', load)]
    await settle()
    const refused = { code: 'ERR_TOO_MANY_LOADS', key: 'c' }
    await expect(cache.getOrSet('c', load)).rejects.toMatchObject(refused)
    const joined = cache.getOrSet('a', load)
    closed.open()
    expect(await Promise.all([...reads, joined])).toEqual(['v', 'v', 'v'])
    expect(await cache.getOrSet('c', load)).toBe('v')
    expect(cache.stats()).toMatchObject({ loads: 3, loading: 0 })
  })

  it('one load more than maxLoads gets the stale value where there is one', async () => {
    const { cache, clock } = setUp({ maxLoads: 1, ttl: '1m', grace: '1h' })
    await cache.set('k', 'old')
    await clock.advance(60_000)
    const closed = gate()
    const busy = cache.getOrSet('busy', () => closed.wait())
    await closed.arrived
    expect(await cache.getOrSet('k', () => 'new')).toBe('old')
    closed.open()
    await busy
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    expect(cache.stats().loads).toBe(2)
  })

  it('the entries of a tag beyond maxTags become misses, and none of them comes back', async () => {
    const { cache } = setUp({ maxTags: 2 })
    await cache.set('a', 1, { tags: ['ta'] })
    await cache.set('b', 2, { tags: ['tb'] })
    await cache.set('c', 3, { tags: ['tc'] })
    expect(await cache.get('a')).toBeUndefined()
    expect([await cache.get('b'), await cache.get('c')]).toEqual([2, 3])
    await cache.set('d', 4, { tags: ['ta'] })
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.get('d')).toBe(4)
  })

  it('an invalidation is not lost with a tag that was forgotten meanwhile', async () => {
    const { cache } = setUp({ maxTags: 2 })
    const closed = gate()
    const read = cache.getOrSet('k', async ({ options }) => {
      await closed.wait()
      options.tags = ['t']
      return 'old'
    })
    await closed.arrived
    await cache.invalidateTags(['t'])
    for (let i = 0; i < 5; i++) await cache.set(`k${i}`, i, { tags: [`t${i}`] })
    closed.open()
    expect(await read).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ loads: 1, fenced: 1 })
  })
})

describe('G10: yours alone', () => {
  const odd = [
    'k',
    '@',
    '@@',
    '@n:k',
    ':',
    '/',
    'a/b',
    'a:b',
    '%',
    '%3a',
    '__proto__',
    'constructor',
    '*',
    '[a]',
    '\0',
    '\\',
    '😀',
    '\ud800',
    ' ',
  ]

  it('the same key in the root, in namespaces and in nested ones is as many entries', async () => {
    const { cache: root } = setUp()
    const caches = [
      root,
      root.namespace('n'),
      root.namespace('m'),
      root.namespace('n').namespace('m'),
      root.namespace('n/m'),
    ]
    const write = (key: string) => Promise.all(caches.map((cache, i) => cache.set(key, i)))
    const read = (key: string) => Promise.all(caches.map((cache) => cache.get(key)))
    for (const key of odd) await write(key)
    for (const key of odd) expect(await read(key)).toEqual([0, 1, 2, 3, 4])
  })

  it('no two names and keys ever meet, whatever characters they hold', async () => {
    const { cache: root } = setUp()
    const wanted: [Cache, string, string][] = []
    for (const name of odd) {
      for (const key of odd) {
        wanted.push(
          [root.namespace(name), key, `${name} ${key}`],
          [root.namespace('o').namespace(name), key, `o ${name} ${key}`],
        )
      }
    }
    for (const key of odd) wanted.push([root, key, key])
    for (const [cache, key, value] of wanted) await cache.set(key, value)
    for (const [cache, key, value] of wanted) expect(await cache.get(key)).toBe(value)
    expect(
      new Set(await Promise.all(wanted.map(async ([cache, key]) => (await cache.explain(key)).storeKey)))
        .size,
    ).toBe(wanted.length)
  })

  it('a namespace asked for twice is the same one', async () => {
    const { cache: root } = setUp()
    await root.namespace('n').set('k', 1)
    expect(await root.namespace('n').get('k')).toBe(1)
    expect(root.namespace('a').namespace('b/c').name).toBe('a/b%2fc')
  })

  for (const [name, other] of [
    ['a', 'ab'],
    ['a', 'a:b'],
    ['a', 'a/b'],
    ['a*', 'ab'],
    ['[ab]', 'a'],
    ['%', '%25'],
    ['__proto__', 'constructor'],
  ] as const) {
    it(`a clear of '${name}' leaves '${other}' and the root alone`, async () => {
      const { cache: root } = setUp()
      const [cleared, left] = [root.namespace(name), root.namespace(other)]
      for (const cache of [root, cleared, left, cleared.namespace('in')]) await cache.set('k', 1)
      await cleared.clear()
      expect(await cleared.has('k')).toBe(false)
      expect(await cleared.namespace('in').has('k')).toBe(false)
      expect(await left.get('k')).toBe(1)
      expect(await root.get('k')).toBe(1)
    })

    it(`a pattern in '${name}' leaves '${other}' and the root alone`, async () => {
      const { cache: root } = setUp()
      const [cleared, left] = [root.namespace(name), root.namespace(other)]
      for (const cache of [root, cleared, left]) await cache.set('k', 1)
      expect(await cleared.clearPattern('*')).toBe(1)
      expect(await cleared.has('k')).toBe(false)
      expect([await left.get('k'), await root.get('k')]).toEqual([1, 1])
    })
  }

  it('a pattern at the root removes its own keys, also those that begin with @', async () => {
    const { cache: root } = setUp()
    await root.setMany({ '@a': 1, a: 2, '@n:a': 3 })
    await root.namespace('n').set('a', 4)
    expect(await root.clearPattern('@*')).toBe(2)
    expect([await root.get('a'), await root.namespace('n').get('a')]).toEqual([2, 4])
    expect(await root.clearPattern('*')).toBe(1)
    expect(await root.namespace('n').get('a')).toBe(4)
  })

  it('a tag belongs to its namespace', async () => {
    const { cache: root } = setUp()
    const namespace = root.namespace('n')
    for (const cache of [root, namespace]) await cache.set('k', 1, { tags: ['t'] })
    await namespace.invalidateTags(['t'])
    expect([await root.get('k'), await namespace.get('k')]).toEqual([1, undefined])
  })

  it('a clear of the root clears every namespace', async () => {
    const { cache: root } = setUp()
    const nested = root.namespace('a').namespace('b')
    await nested.set('k', 1)
    await root.clear()
    expect(await nested.has('k')).toBe(false)
  })

  it('a namespace has the defaults of the cache around it, and its own over them', async () => {
    const { cache: root, clock } = setUp({ ttl: '1m', tags: ['all'] })
    const short = root.namespace('n', { ttl: '1s', tags: ['short'] }).namespace('in')
    await short.set('k', 1)
    expect((await short.getEntry('k'))?.tags).toEqual(['all', 'short'])
    await clock.advance(1_000)
    expect(await short.has('k')).toBe(false)
  })

  it('no prototype is touched by odd keys and tags', async () => {
    const { cache } = setUp()
    await cache.setMany(
      { ['__proto__']: 1, constructor: 2, toString: 3 },
      { tags: ['__proto__', 'constructor'] },
    )
    expect(await cache.getMany(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])).toEqual(
      new Map([
        ['__proto__', 1],
        ['constructor', 2],
        ['toString', 3],
      ]),
    )
    await cache.invalidateTags(['__proto__'])
    expect(await cache.getMany(['__proto__', 'constructor'])).toEqual(new Map())
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
