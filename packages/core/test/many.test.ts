import { describe, expect, it } from 'vitest'
import { type Cache, type CacheOptions, createCache } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate, mapStore, seededRandom, settle } from '@flow-cache/core/testing'

function setUp(options: Partial<CacheOptions> = {}): { clock: FakeClock; cache: Cache } {
  const clock = fakeClock()
  return { clock, cache: createCache({ store: mapStore(clock), clock, ...options }) }
}

describe('many keys at once', () => {
  it('getMany answers in the order of the keys, each once, with what is there', async () => {
    const { cache } = setUp()
    await cache.setMany(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    )
    expect([...(await cache.getMany(['b', 'x', 'a', 'b']))]).toEqual([
      ['b', 2],
      ['a', 1],
    ])
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1 })
    expect(await cache.getMany([])).toEqual(new Map())
  })

  it('tells what is near from what is not, whatever the values are', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, grace: 10_000 })
    const loaded: string[] = []
    const load = (keys: readonly string[]): Map<string, unknown> => {
      loaded.push(...keys)
      return new Map(keys.map((key) => [key, `new ${key}`]))
    }
    await cache.setMany({ stale: 1, tagged: 1 }, { tags: ['t'] })
    await clock.advance(1_000)
    await cache.setMany(
      new Map<string, unknown>([
        ['none', undefined],
        ['@', null],
        ['dead', 1],
      ]),
      { ttl: 5_000 },
    )
    await cache.set('dead', 1, { ttl: 5_000, tags: ['d'] })
    await cache.invalidateTags(['d'])
    const keys = ['stale', 'none', '@', 'new', 'dead']
    expect([...(await cache.getMany(keys))]).toEqual([
      ['none', undefined],
      ['@', null],
    ])
    expect([...(await cache.getOrSetMany(keys, load))]).toEqual([
      ['stale', 'new stale'],
      ['none', undefined],
      ['@', null],
      ['new', 'new new'],
      ['dead', 'new dead'],
    ])
    expect(loaded).toEqual(['stale', 'new', 'dead'])
    expect([...(await cache.getOrSetMany(keys, load)).keys()]).toEqual(keys)
    expect(loaded).toHaveLength(3)
  })

  it('count nothing if the call is refused', async () => {
    const { cache } = setUp()
    await cache.set('a', 1)
    await expect(cache.getMany(['a', ''])).rejects.toThrow(TypeError)
    await expect(cache.getOrSetMany(['a', 1 as never], () => [1])).rejects.toThrow(TypeError)
    await expect(cache.getMany('a')).rejects.toThrow(TypeError)
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0 })
    await cache.close()
    await expect(cache.getMany(['a'])).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('setMany takes a Map, pairs and an object, and writes all or nothing', async () => {
    const { cache } = setUp({ copy: 'clone' })
    await cache.setMany(new Map([['a', 1]]))
    await cache.setMany([['b', 2]])
    await cache.setMany({ c: 3 }, { tags: ['t'] })
    expect([...(await cache.getMany(['a', 'b', 'c'])).values()]).toEqual([1, 2, 3])
    await expect(cache.setMany({ a: 10, b: () => 1 })).rejects.toMatchObject({ code: 'ERR_VALUE' })
    expect(await cache.get('a')).toBe(1)
    await cache.invalidateTags(['t'])
    expect(await cache.has('c')).toBe(false)
  })

  it('deleteMany tells how many there were', async () => {
    const { cache } = setUp()
    await cache.setMany({ a: 1, b: 2, c: 3 })
    expect(await cache.deleteMany(new Set(['a', 'b', 'x']))).toBe(2)
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(new Map([['c', 3]]))
  })
})

describe('getOrSetMany', () => {
  it('asks once for all that is missing, in order', async () => {
    const { cache } = setUp()
    await cache.set('b', 'cached')
    const asked: unknown[] = []
    const answer = await cache.getOrSetMany(['a', 'b', 'c', 'a'], (keys) => {
      asked.push(keys)
      return new Map(keys.map((key) => [key, `loaded ${key}`]))
    })
    expect([...answer]).toEqual([
      ['a', 'loaded a'],
      ['b', 'cached'],
      ['c', 'loaded c'],
    ])
    expect(asked).toEqual([['a', 'c']])
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 2 })
  })

  it('takes an array in the order of the keys', async () => {
    const { cache } = setUp()
    const answer = await cache.getOrSetMany(['a', 'b'], async (keys) => keys.map((key) => key.toUpperCase()))
    expect([...answer]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ])
    expect(await cache.get('b')).toBe('B')
  })

  it('asks for nothing where all is there, or nothing is asked for', async () => {
    const { cache } = setUp()
    await cache.set('a', 1)
    let calls = 0
    const loadMany = () => (calls++, [2])
    expect(await cache.getOrSetMany(['a'], loadMany)).toEqual(new Map([['a', 1]]))
    expect(await cache.getOrSetMany<number>([], loadMany)).toEqual(new Map())
    expect(calls).toBe(0)
  })

  it('leaves out a key that the Map leaves out, and does not keep it', async () => {
    const { cache } = setUp()
    let calls = 0
    const read = () => cache.getOrSetMany(['a', 'b'], () => (calls++, new Map([['a', 1]])))
    expect(await read()).toEqual(new Map([['a', 1]]))
    expect(await read()).toEqual(new Map([['a', 1]]))
    expect(calls).toBe(2)
  })

  it('keeps with each entry its share of what loading them took, in whole milliseconds', async () => {
    const { clock, cache } = setUp()
    const load = async (keys: readonly string[]): Promise<readonly string[]> => {
      await clock.advance(50)
      return keys
    }
    const keys = ['a', 'b', 'c', 'd']
    await cache.getOrSetMany(keys, load)
    await cache.getOrSetMany(['alone'], load)
    const took = await Promise.all(
      [...keys, 'alone'].map(async (key) => (await cache.explain(key)).loadMs ?? NaN),
    )
    expect(took).toEqual([13, 12, 13, 12, 50])
  })

  it('shares loads with other callers, and overlapping calls do not wait for each other in a circle', async () => {
    const { cache } = setUp()
    const asked: (readonly string[])[] = []
    const closed = gate()
    const loadMany = async (keys: readonly string[]) => {
      asked.push(keys)
      await closed.wait()
      return keys.map((key) => key)
    }
    const reads = [
      cache.getOrSetMany(['a', 'b'], loadMany),
      cache.getOrSetMany(['b', 'c', 'a'], loadMany),
      cache.getOrSetMany(['c', 'a'], loadMany),
    ]
    await settle()
    const single = cache.getOrSet('b', () => 'never')
    closed.open()
    expect((await Promise.all(reads)).map((map) => Array.from(map.keys()))).toEqual([
      ['a', 'b'],
      ['b', 'c', 'a'],
      ['c', 'a'],
    ])
    expect(await single).toBe('b')
    expect(asked).toEqual([['a', 'b'], ['c']])
  })

  it.each([[undefined], [{}], [[1]], ['ab'], [null]])(
    'that is answered with %o is told what it wants',
    async (wrong) => {
      const { cache } = setUp()
      const read = cache.getOrSetMany(['a', 'b'], () => wrong as unknown as unknown[])
      await expect(read).rejects.toMatchObject({ code: 'ERR_LOADER_RESULT' })
      expect(cache.stats().loading).toBe(0)
    },
  )

  it("throws loadMany's own error, asked once", async () => {
    const { cache } = setUp()
    const down = new Error('down')
    let calls = 0
    const read = cache.getOrSetMany(['a', 'b'], () => {
      calls++
      throw down
    })
    await expect(read).rejects.toBe(down)
    expect(calls).toBe(1)
    expect(cache.stats().loading).toBe(0)
  })

  it('falls back to the stale value key by key', async () => {
    const { cache, clock } = setUp({ ttl: '1m', grace: '1h' })
    await cache.setMany({ a: 'stale a', b: 'stale b' })
    await clock.advance(60_000)
    const down = () => Promise.reject<string[]>(new Error('down'))
    expect([...(await cache.getOrSetMany(['a', 'b'], down))]).toEqual([
      ['a', 'stale a'],
      ['b', 'stale b'],
    ])
    expect(cache.stats()).toMatchObject({ staleHits: 2, loadErrors: 2 })
  })

  it('ends the load when the only caller leaves', async () => {
    const { cache } = setUp()
    const leaver = new AbortController()
    const bored = new Error('bored')
    const closed = gate()
    let signal: AbortSignal | undefined
    const read = cache.getOrSetMany(
      ['a', 'b'],
      (keys, context) => ((signal = context.signal), closed.wait().then(() => keys.map(() => 1))),
      { signal: leaver.signal },
    )
    await closed.arrived
    leaver.abort(bored)
    await expect(read).rejects.toBe(bored)
    expect(signal?.aborted).toBe(true)
    closed.open()
    await settle()
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
    expect(cache.stats().loading).toBe(0)
  })
})

describe('wrap', () => {
  it('remembers the answers by the canonical form of all arguments', async () => {
    const { cache } = setUp()
    let calls = 0
    const add = cache.wrap('add', (a: number, b: { c: number; d: number }) => (calls++, a + b.c + b.d))
    expect(await add(1, { c: 2, d: 3 })).toBe(6)
    expect(await add(1, { d: 3, c: 2 })).toBe(6)
    expect(await add(2, { c: 2, d: 3 })).toBe(7)
    expect(calls).toBe(2)
  })

  it('says under which key, so that it can be deleted', async () => {
    const { cache } = setUp()
    let calls = 0
    const load = cache.wrap('load', async (id: number) => `${id} ${++calls}`, { key: (id) => id % 10 })
    expect(await load(1)).toBe('1 1')
    expect(await load(11)).toBe('1 1')
    expect(load.keyFor(1)).toBe(load.keyFor(21))
    expect(await cache.delete(load.keyFor(1))).toBe(true)
    expect(await load(11)).toBe('11 2')
    expect(calls).toBe(2)
  })

  it('calls the function with its this, and refuses arguments that have no form', async () => {
    const { cache } = setUp()
    const host = {
      factor: 3,
      times: cache.wrap('times', function (this: unknown, n: unknown) {
        return (this as { factor: number }).factor * Number(n)
      }),
    }
    expect(await host.times(2)).toBe(6)
    await expect(host.times(() => 1)).rejects.toMatchObject({ code: 'ERR_KEY' })
  })
})

describe('stats', () => {
  it.each([1, 2, 3])('reconcile exactly under random operations (seed %i)', async (seed) => {
    const { cache, clock } = setUp({ ttl: 100, grace: 100, errorTtl: 50 })
    const random = seededRandom(seed)
    const key = () => `k${Math.floor(random() * 5)}`
    let [reads, sets, deletes, loads] = [0, 0, 0, 0]
    const load = async () => {
      loads++
      await settle(Math.floor(random() * 10))
      if (random() < 0.3) throw new Error('down')
      return 1
    }
    const operations: (() => Promise<unknown>)[] = [
      () => (reads++, cache.getOrSet(key(), load)),
      () => (reads++, cache.getOrSet(key(), load, { forceRefresh: true })),
      () => (reads++, cache.get(key())),
      () => (reads++, cache.has(key())),
      () => (reads++, cache.getEntry(key())),
      () => ((reads += 2), cache.getMany(['k0', 'k1'])),
      () => (sets++, cache.set(key(), 1)),
      () => (deletes++, cache.delete(key())),
      () => cache.expire(key()),
      () => clock.advance(Math.floor(random() * 40)),
    ]
    const running: Promise<unknown>[] = []
    for (let i = 0; i < 500; i++) {
      running.push(operations[Math.floor(random() * operations.length)]!().catch(() => undefined))
      await settle(Math.floor(random() * 5))
    }
    await Promise.all(running)
    await cache.drain()
    const stats = cache.stats()
    expect(stats.hits + stats.staleHits + stats.misses).toBe(reads)
    expect(stats).toMatchObject({ sets, deletes, loads, loading: 0, errors: 0 })
    expect(stats.hitRatio).toBe(stats.hits / reads)
    expect(clock.pending).toBe(0)
  })

  it('peek and explain are no reads', async () => {
    const { cache } = setUp()
    await cache.set('k', 1)
    cache.peek('k')
    await cache.explain('k')
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, hitRatio: 0 })
  })
})
