import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import {
  type Cache,
  type CacheEvents,
  type CacheOptions,
  createCache,
  type Entry,
  type LoadContext,
} from '@flow-cache/core'
import {
  type FakeClock,
  fakeClock,
  faultyStore,
  gate,
  mapStore,
  settle,
  sharedServer,
} from '@flow-cache/core/testing'

function setUp(options: Partial<CacheOptions> = {}): { clock: FakeClock; cache: Cache } {
  const clock = fakeClock()
  return { clock, cache: createCache({ store: mapStore(clock), clock, ...options }) }
}

/** Nothing is left of any load, and the key can be loaded. */
async function expectClean(cache: Cache, clock: FakeClock, ...keys: readonly string[]): Promise<void> {
  await settle()
  expect(cache.stats().loading).toBe(0)
  expect(clock.pending).toBe(0)
  for (const key of keys) {
    expect((await cache.explain(key)).loading).toBeUndefined()
    expect(await cache.getOrSet(key, () => 'anew', { forceRefresh: true, errorTtl: 0 })).toBe('anew')
  }
  expect(clock.pending).toBe(0)
  await cache.drain()
}

describe('a load that goes wrong leaves nothing behind', () => {
  it('when the loader throws at once', async () => {
    const { cache, clock } = setUp()
    const wrong = new TypeError('x is not a function')
    let loads = 0
    const read = () =>
      cache.getOrSet('k', () => {
        loads++
        throw wrong
      })
    const answers = await Promise.allSettled([read(), read()])
    expect(answers).toEqual([
      { status: 'rejected', reason: wrong },
      { status: 'rejected', reason: wrong },
    ])
    expect(loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('when the loader rejects with undefined', async () => {
    const { cache, clock } = setUp()
    const reads = [1, 2, 3].map(() => cache.getOrSet('k', () => Promise.reject<string>(undefined)))
    for (const answer of await Promise.allSettled(reads))
      expect(answer).toEqual({ status: 'rejected', reason: undefined })
    expect(cache.stats()).toMatchObject({ loads: 1, loadErrors: 1 })
    await expectClean(cache, clock, 'k')
  })

  it('when the loader answers with a thenable that rejects', async () => {
    const { cache, clock } = setUp()
    const thenable: PromiseLike<string> = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve, reject) => Promise.reject<string>(new Error('later')).then(resolve, reject),
    }
    await expect(cache.getOrSet('k', () => thenable)).rejects.toThrow('later')
    expect(cache.stats().loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('when what the loader makes of its options is wrong', async () => {
    const { cache, clock } = setUp()
    const read = cache.getOrSet('k', ({ options }) => {
      options.ttl = -1
      return 'v'
    })
    await expect(read).rejects.toThrow(/^ttl must not be negative/)
    expect(cache.stats().loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('when a load that takes longer than timeouts.load is given up, and another begins', async () => {
    const { cache, clock } = setUp({ timeouts: { load: '1m' } })
    const closed = gate()
    let loads = 0
    let signal: AbortSignal | undefined
    const read = () =>
      cache.getOrSet('k', async (context) => {
        loads++
        signal = context.signal
        await closed.wait()
        return 'late'
      })
    const reads = [read(), read()]
    const given = Promise.allSettled(reads)
    await clock.advance(60_000)
    for (const answer of await given)
      expect(answer).toMatchObject({ reason: { code: 'ERR_LOAD_TIMEOUT', key: 'k' } })
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    expect((await cache.explain('k')).loading).toBeUndefined()
    expect(await cache.getOrSet('k', () => `v${++loads}`)).toBe('v2')
    closed.open()
    await settle()
    expect(await cache.get('k')).toBe('v2')
    await expectClean(cache, clock, 'k')
  })

  it('when the platform forgets timers: who asks after timeouts.load has it given up, and loads', async () => {
    const real = fakeClock()
    const clock = { ...real, setTimer: () => undefined }
    const cache = createCache({ store: mapStore(clock), clock, timeouts: { load: '1m' } })
    const read = cache.getOrSet('k', () => new Promise(() => {}))
    const given = expect(read).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    await real.advance(60_000)
    expect((await cache.explain('k')).loading).toBeDefined()
    await real.advance(1)
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    await given
    expect(cache.stats()).toMatchObject({ loads: 2, loading: 0 })
  })

  it('when the loader never settles: from timeouts.load on it does not count for maxLoads', async () => {
    const { cache, clock } = setUp({ timeouts: { load: '1m' }, maxLoads: 1 })
    const read = cache.getOrSet('k', () => new Promise(() => {}))
    const given = expect(read).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    await clock.advance(60_000)
    await given
    expect(cache.stats()).toMatchObject({ loads: 1, loading: 0 })
    await expectClean(cache, clock, 'k')
  })

  it('when a caller with a hard timeout leaves a load that never ends, until timeouts.load', async () => {
    const { cache, clock } = setUp({ timeouts: { hard: '1s', load: '1m' } })
    const closed = gate()
    const first = expect(cache.getOrSet('k', () => closed.wait())).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    })
    await clock.advance(1_000)
    await first
    const second = expect(cache.getOrSet('k', () => 'never asked')).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    })
    await clock.advance(1_000)
    await second
    expect((await cache.explain('k')).loading).toEqual({ sinceMs: 2_000, waiting: 0, background: false })
    expect(cache.stats().loads).toBe(1)
    await clock.advance(58_000)
    expect((await cache.explain('k')).loading).toBeUndefined()
    closed.open()
    await expectClean(cache, clock, 'k')
  })
})

describe('a caller who leaves', () => {
  const bored = new Error('bored')

  it('takes nobody along', async () => {
    const { cache, clock } = setUp()
    const closed = gate()
    let signal: AbortSignal | undefined
    const leaver = new AbortController()
    const load = (context: { signal: AbortSignal }) => {
      signal = context.signal
      return closed.wait().then(() => 'v')
    }
    const first = cache.getOrSet('k', load, { signal: leaver.signal })
    const others = Array.from({ length: 50 }, () => cache.getOrSet('k', load))
    await closed.arrived
    leaver.abort(bored)
    await expect(first).rejects.toBe(bored)
    expect(signal?.aborted).toBe(false)
    closed.open()
    expect(new Set(await Promise.all(others))).toEqual(new Set(['v']))
    expect(cache.stats().loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('once the loader has answered, ends nothing: the value is stored, and counted as one load', async () => {
    const clock = fakeClock()
    const store = mapStore(clock)
    const closed = gate()
    const slow = {
      ...store,
      set: async (key: string, entry: Entry) => (await closed.wait(), store.set(key, entry)),
    }
    const cache = createCache({ store: slow, clock })
    const leaver = new AbortController()
    const read = cache.getOrSet('k', async () => 'v', { signal: leaver.signal })
    await closed.arrived
    leaver.abort(bored)
    await expect(read).rejects.toBe(bored)
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('v')
    expect(cache.stats()).toMatchObject({ loads: 1, loadErrors: 0, fenced: 0 })
  })

  it('as the last one ends the load', async () => {
    const { cache, clock } = setUp()
    const closed = gate()
    let signal: AbortSignal | undefined
    const leavers = [new AbortController(), new AbortController()]
    const reads = leavers.map((leaver) =>
      cache.getOrSet('k', (context) => ((signal = context.signal), closed.wait()), { signal: leaver.signal }),
    )
    await closed.arrived
    leavers[0]!.abort(bored)
    await expect(reads[0]).rejects.toBe(bored)
    expect(signal?.aborted).toBe(false)
    leavers[1]!.abort(bored)
    await expect(reads[1]).rejects.toBe(bored)
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toBe(bored)
    expect((await cache.explain('k')).loading).toBeUndefined()
    expect(await cache.getOrSet('k', () => 'next')).toBe('next')
    closed.open()
    await settle()
    expect(await cache.get('k')).toBe('next')
    expect(cache.stats().loads).toBe(2)
    await expectClean(cache, clock, 'k')
  })

  it('ends the load also while its loader is being called', async () => {
    const { cache } = setUp()
    const leaver = new AbortController()
    let signal: AbortSignal | undefined
    const load = async (context: LoadContext): Promise<string> => {
      signal = context.signal
      leaver.abort(new Error('left'))
      await Promise.resolve()
      signal.throwIfAborted()
      return 'v'
    }
    await expect(cache.getOrSet('k', load, { signal: leaver.signal })).rejects.toThrow('left')
    expect(signal!.aborted).toBe(true)
    await cache.drain()
    expect(await cache.has('k')).toBe(false)
  })

  it('does not end a load that somebody lost patience with', async () => {
    const { cache, clock } = setUp()
    const closed = gate()
    const leaver = new AbortController()
    const load = () => closed.wait().then(() => 'v')
    const hasty = expect(cache.getOrSet('k', load, { timeouts: { hard: 10 } })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    })
    const left = expect(cache.getOrSet('k', load, { signal: leaver.signal })).rejects.toBe(bored)
    await clock.advance(10)
    leaver.abort(bored)
    await Promise.all([hasty, left])
    closed.open()
    await cache.drain()
    expect(await cache.get('k')).toBe('v')
    expect(cache.stats().loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('before anything began asks for nothing', async () => {
    const { cache, clock } = setUp()
    await cache.set('k', 'there')
    await expect(cache.getOrSet('k', () => 'v', { signal: AbortSignal.abort(bored) })).rejects.toBe(bored)
    expect(cache.stats().loads).toBe(0)
    await expectClean(cache, clock, 'k')
  })

  it('does not keep the origin from being asked by the next one', async () => {
    const { cache, clock } = setUp({ errorTtl: '1h' })
    const closed = gate()
    const leaver = new AbortController()
    const left = expect(cache.getOrSet('k', () => closed.wait(), { signal: leaver.signal })).rejects.toBe(
      bored,
    )
    await closed.arrived
    leaver.abort(bored)
    await left
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    closed.open()
    expect(cache.stats().loads).toBe(2)
    await expectClean(cache, clock, 'k')
  })

  it('while the lease is being taken has it given back', async () => {
    const clock = fakeClock()
    const closed = gate()
    const server = sharedServer(clock, (call) => (call === 'acquire answers' ? closed.wait() : undefined))
    const [cache, other] = [server.connect(), server.connect()].map((store) => createCache({ store, clock }))
    const leaver = new AbortController()
    const left = expect(cache!.getOrSet('k', () => 'v', { signal: leaver.signal })).rejects.toBe(bored)
    await closed.arrived
    leaver.abort(bored)
    await left
    closed.open()
    await settle()
    let waits = true
    void other!.getOrSet('k', () => 'theirs').then(() => (waits = false))
    await settle()
    expect(waits).toBe(false)
    expect(cache!.stats().loads).toBe(0)
    await Promise.all([cache!.close(), other!.close()])
  })

  it('after the answer leaves no listener on the signal', async () => {
    const { cache, clock } = setUp()
    const leaver = new AbortController()
    let listening = 0
    const { addEventListener, removeEventListener } = leaver.signal
    leaver.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listening++
      addEventListener.apply(leaver.signal, args)
    }
    leaver.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listening--
      removeEventListener.apply(leaver.signal, args)
    }
    expect(await cache.getOrSet('k', () => 'v', { signal: leaver.signal })).toBe('v')
    await settle()
    expect(listening).toBe(0)
    leaver.abort(bored)
    expect(await cache.get('k')).toBe('v')
    await expectClean(cache, clock, 'k')
  })
})

describe('a loader that asks for the key it is loading', () => {
  const recursion = { code: 'ERR_RECURSION', key: 'k' }

  it('before its first await gets an error instead of waiting for itself', async () => {
    const { cache, clock } = setUp()
    let loads = 0
    const read = (): Promise<string> => cache.getOrSet('k', () => (loads++, read()))
    await expect(read()).rejects.toMatchObject(recursion)
    expect(loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('after an await gets it with an asyncContext', async () => {
    const { cache, clock } = setUp({ asyncContext: new AsyncLocalStorage() })
    let loads = 0
    const read = (): Promise<string> =>
      cache.getOrSet('k', async () => {
        loads++
        await settle()
        return read()
      })
    await expect(read()).rejects.toMatchObject(recursion)
    expect(loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('after an await waits until a timeout ends it without one', async () => {
    const { cache, clock } = setUp({ timeouts: { load: '1m' } })
    let loads = 0
    const read = (): Promise<string> =>
      cache.getOrSet('k', async () => {
        loads++
        await undefined
        return read()
      })
    const given = expect(read()).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
    await clock.advance(60_000)
    await given
    expect(loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })

  it('through another key gets it with an asyncContext', async () => {
    const { cache, clock } = setUp({ asyncContext: new AsyncLocalStorage() })
    let loads = 0
    const readK = (): Promise<string> => cache.getOrSet('k', async () => (loads++, await settle(), readB()))
    const readB = (): Promise<string> => cache.getOrSet('b', async () => (loads++, await settle(), readK()))
    await expect(readK()).rejects.toMatchObject(recursion)
    expect(loads).toBe(2)
    await expectClean(cache, clock, 'k', 'b')
  })

  it('can ask for other keys, and others for its own', async () => {
    const { cache, clock } = setUp({ asyncContext: new AsyncLocalStorage() })
    const closed = gate()
    const first = cache.getOrSet(
      'k',
      async () => `k(${await cache.getOrSet('b', () => closed.wait().then(() => 'b'))})`,
    )
    await closed.arrived
    const others = [cache.getOrSet('k', () => 'never'), cache.getOrSet('b', () => 'never')]
    await settle()
    closed.open()
    expect(await first).toBe('k(b)')
    expect(await Promise.all(others)).toEqual(['k(b)', 'b'])
    expect(cache.stats().loads).toBe(2)
    await expectClean(cache, clock, 'k', 'b')
  })

  it('can go past its own flight with skip', async () => {
    const { cache, clock } = setUp({ asyncContext: new AsyncLocalStorage() })
    const read = cache.getOrSet('k', () => cache.getOrSet('k', () => 'inner', { skip: 'both' }))
    expect(await read).toBe('inner')
    expect(cache.stats().loads).toBe(2)
    await expectClean(cache, clock, 'k')
  })

  it('can set its own key, which wins', async () => {
    const { cache, clock } = setUp()
    const read = cache.getOrSet('k', async () => {
      await cache.set('k', 'set')
      return 'loaded'
    })
    expect(await read).toBe('loaded')
    expect(await cache.get('k')).toBe('set')
    expect(cache.stats().loads).toBe(1)
    await expectClean(cache, clock, 'k')
  })
})

describe('what goes wrong beside a load', () => {
  const wrong = new Error('wrong')

  for (const how of ['throws', 'rejects'] as const) {
    it(`a listener that ${how} becomes one error event, and disturbs nobody`, async () => {
      const { cache, clock } = setUp()
      const fail =
        how === 'throws'
          ? (): void => {
              throw wrong
            }
          : (): void => Promise.reject(wrong) as unknown as void
      for (const event of ['miss', 'load', 'hit', 'set', 'delete', 'expire'] as const) cache.on(event, fail)
      const seen: string[] = []
      const errors: CacheEvents['error'][] = []
      cache.on('load', ({ key }) => seen.push(key))
      cache.on('error', (event) => errors.push(event))
      expect(await cache.getOrSet('k', () => 'v')).toBe('v')
      expect(await cache.get('k')).toBe('v')
      await cache.set('k', 'w')
      await cache.expire('k')
      expect(await cache.delete('k')).toBe(false)
      await settle()
      expect(seen).toEqual(['k'])
      expect(errors.map(({ error }) => error)).toEqual(Array.from({ length: 6 }, () => wrong))
      expect(errors[0]!.during).toBe("listener of 'load'")
      expect(cache.stats().loads).toBe(1)
      await expectClean(cache, clock, 'k')
    })

    it(`an error listener that ${how} has nobody left to tell`, async () => {
      const { cache, clock } = setUp()
      cache.on(
        'error',
        how === 'throws'
          ? () => {
              throw wrong
            }
          : () => Promise.reject(wrong) as unknown as void,
      )
      cache.on('miss', () => {
        throw wrong
      })
      expect(await cache.getOrSet('k', () => 'v')).toBe('v')
      expect(cache.stats().loads).toBe(1)
      await expectClean(cache, clock, 'k')
    })
  }

  it('a listener that was stopped is told nothing, also when it leaves while being told', async () => {
    const { cache } = setUp()
    const told: string[] = []
    const stop = cache.on('set', () => (told.push('first'), stop()))
    const listener = () => told.push('twice')
    const stops = [cache.on('set', listener), cache.on('set', listener)]
    await cache.set('k', 1)
    expect(told).toEqual(['first', 'twice', 'twice'])
    stops[0]!()
    stops[0]!()
    await cache.set('k', 1)
    expect(told).toEqual(['first', 'twice', 'twice', 'twice'])
  })

  it('a waitUntil that throws becomes an error event, and the load goes on', async () => {
    const { cache, clock } = setUp({
      ttl: '1m',
      refreshAhead: 0.5,
      waitUntil() {
        throw wrong
      },
    })
    const errors: CacheEvents['error'][] = []
    cache.on('error', (event) => errors.push(event))
    await cache.set('k', 'old')
    await clock.advance(30_000)
    expect(await cache.getOrSet('k', () => 'new')).toBe('old')
    await cache.drain()
    expect(await cache.get('k')).toBe('new')
    expect(errors).toEqual([{ error: wrong, during: 'waitUntil', key: 'k' }])
    expect(cache.stats()).toMatchObject({ loads: 1, errors: 1 })
    await expectClean(cache, clock, 'k')
  })
})

describe('a cache that closes', () => {
  it('waits for the loads under way', async () => {
    const { cache, clock } = setUp()
    const closed = gate()
    const read = cache.getOrSet('k', () => closed.wait().then(() => 'v'))
    await closed.arrived
    let done = false
    const closing = cache.close().then(() => (done = true))
    await settle()
    expect(done).toBe(false)
    closed.open()
    expect(await read).toBe('v')
    await closing
    expect(clock.pending).toBe(0)
    expect(cache.stats()).toMatchObject({ loads: 1, loading: 0 })
  })

  it('gives up those that are not done at the deadline, tells everyone, and leaves no timer', async () => {
    const { cache, clock } = setUp()
    let signal: AbortSignal | undefined
    const read = cache.getOrSet('k', (context) => ((signal = context.signal), new Promise(() => {})))
    const given = expect(read).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    const closing = cache.close({ deadline: '2s' })
    await clock.advance(2_000)
    await Promise.all([closing, given])
    expect(signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
    expect(cache.stats()).toMatchObject({ loads: 1, loading: 0 })
  })

  it('takes nothing new, and can be closed twice', async () => {
    const { cache } = setUp()
    await cache.set('k', 1)
    await cache.close()
    await cache.close()
    const refused = { code: 'ERR_CLOSED' }
    await expect(cache.getOrSet('k', () => 1)).rejects.toMatchObject(refused)
    await expect(cache.getOrSetMany(['k'], () => [1])).rejects.toMatchObject(refused)
    await expect(cache.get('k')).rejects.toMatchObject(refused)
    await expect(cache.getMany(['k'])).rejects.toMatchObject(refused)
    await expect(cache.getEntry('k')).rejects.toMatchObject(refused)
    await expect(cache.has('k')).rejects.toMatchObject(refused)
    await expect(cache.set('k', 1)).rejects.toMatchObject(refused)
    await expect(cache.setMany({ k: 1 })).rejects.toMatchObject(refused)
    await expect(cache.delete('k')).rejects.toMatchObject(refused)
    await expect(cache.deleteMany(['k'])).rejects.toMatchObject(refused)
    await expect(cache.expire('k')).rejects.toMatchObject(refused)
    await expect(cache.invalidateTags(['t'])).rejects.toMatchObject(refused)
    await expect(cache.clear()).rejects.toMatchObject(refused)
    await expect(cache.clearPattern('*')).rejects.toMatchObject(refused)
    await expect(cache.explain('k')).rejects.toMatchObject(refused)
    expect(cache.peek('k')).toBeUndefined()
  })

  it('as a namespace waits for the work under way and stays open', async () => {
    const { cache } = setUp()
    const namespace = cache.namespace('n')
    await namespace.close()
    await namespace.set('k', 1)
    expect(await namespace.get('k')).toBe(1)
  })

  it('is closed by its asyncDispose, which await using calls', async () => {
    const { cache } = setUp()
    await cache[Symbol.asyncDispose]()
    await expect(cache.get('k')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('a caller who left while the store was asked', () => {
  it('is not served the stale value that is found, and not counted as leaving twice', async () => {
    const clock = fakeClock()
    const store = faultyStore(mapStore(clock))
    const cache = createCache({ store, clock, ttl: 10, grace: '1h' })
    await cache.set('k', 'old')
    await clock.advance(20)

    const asked = gate()
    const loading = gate()
    store.fail('lag', () => asked.wait())
    const leaver = new AbortController()
    const load = () => loading.wait().then(() => 'new')
    const left = cache.getOrSet('k', load, { signal: leaver.signal, timeouts: { soft: 5 } })
    const stays = cache.getOrSet('k', load)
    await asked.arrived
    await clock.advance(5)
    leaver.abort(new Error('bored'))
    await expect(left).rejects.toThrow('bored')
    store.fail('none')
    asked.open()
    await settle()
    expect((await cache.explain('k')).loading?.waiting).toBe(1)
    loading.open()
    expect(await stays).toBe('new')
    await expectClean(cache, clock, 'k')
  })
})
