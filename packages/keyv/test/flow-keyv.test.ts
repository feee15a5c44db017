import { createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, mapStore } from '@flow-cache/core/testing'
import { flowKeyv, type FlowKeyvOptions } from '@flow-cache/keyv'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { afterEach, describe, expect, it } from 'vitest'

/** Both versions, as far as these tests use them. */
interface AnyKeyv {
  get(key: string): Promise<unknown>
  get(keys: string[]): Promise<unknown[]>
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  delete(key: string): Promise<boolean>
  deleteMany(keys: string[]): Promise<unknown>
  clear(): Promise<void>
  disconnect(): Promise<void>
  on(event: string, listener: (error: unknown) => void): unknown
  iterator?: unknown
}

const versions: readonly (readonly [string, (options: object) => AnyKeyv, object])[] = [
  ['Keyv 5', (options) => new Keyv5(options), { serialize: undefined, deserialize: undefined }],
  ['Keyv 6', (options) => new Keyv6(options), { serialization: false }],
]

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close()
})

function setUp(make: (options: object) => AnyKeyv, options: FlowKeyvOptions = {}, keyvOptions: object = {}) {
  const clock = fakeClock(Date.now())
  const cache = createCache({ store: mapStore(clock), clock, ttl: '5m' })
  open.push(cache)
  const keyv = (namespace: string): AnyKeyv =>
    make({ store: flowKeyv(cache, options), namespace, ...keyvOptions })
  return { clock, cache, keyv, a: keyv('a') }
}

describe.each(versions)('%s over a cache', (_, make, raw) => {
  it('reads and writes one value and many', async () => {
    const { a } = setUp(make)
    expect(await a.set('x', { y: [1] })).toBe(true)
    expect(
      await a.setMany([
        { key: 'n', value: null },
        { key: 'z', value: 0, ttl: 60_000 },
      ]),
    ).toEqual([true, true])
    expect(await a.get('x')).toEqual({ y: [1] })
    expect(await a.get('nobody')).toBe(undefined)
    expect(await a.get(['z', 'nobody', 'x'])).toEqual([0, undefined, { y: [1] }])
    expect([await a.has('n'), await a.has('nobody')]).toEqual([true, false])
    expect(await a.hasMany(['x', 'nobody', 'z'])).toEqual([true, false, true])
    expect([await a.delete('x'), await a.delete('x'), await a.has('x')]).toEqual([true, false, false])
    await a.deleteMany(['n', 'z'])
    expect(await a.hasMany(['n', 'z'])).toEqual([false, false])
  })

  it('keeps for its ttl in milliseconds, and without one for ever, whatever the ttl of the cache is', async () => {
    const { a, clock, cache } = setUp(make)
    await a.set('short', 1, 60_000)
    await a.set('ever', 1)
    const ttlOf = async (key: string) =>
      (await cache.namespace('a').getEntry(make === versions[0]![1] ? `a:${key}` : key))?.ttlMs
    // Keyv 6 makes an instant of it by the platform's clock, and a duration again.
    const left = await ttlOf('short')
    expect(left! > 30_000 && left! <= 60_000).toBe(true)
    expect(await ttlOf('ever')).toBe(Infinity)
    await clock.advance(30_000)
    expect(await a.has('short')).toBe(true)
    await clock.advance(30_000)
    expect(await a.has('short')).toBe(false)
    await clock.advance(1e12)
    expect(await a.has('ever')).toBe(true)
  })

  it('takes a ttl of its own for what Keyv gives none', async () => {
    const { a, clock } = setUp(make, { ttl: '2s' })
    await a.set('x', 1)
    await clock.advance(1_999)
    expect(await a.has('x')).toBe(true)
    await clock.advance(1)
    expect(await a.has('x')).toBe(false)
  })

  it('does with a ttl that is over before it begins what it does over a Map', async () => {
    const { a } = setUp(make)
    const over = async (keyv: AnyKeyv): Promise<unknown[]> => {
      for (const key of ['x', 'y', 'z']) await keyv.set(key, 'old')
      const entries = [
        { key: 'y', value: 'new', ttl: -5 },
        { key: 'z', value: 'new' },
      ]
      return [await keyv.set('x', 'new', -5), await keyv.setMany(entries), await keyv.get(['x', 'y', 'z'])]
    }
    expect(await over(a)).toEqual(await over(make({ store: new Map(), namespace: 'a' })))
  })

  it('clears its namespace and nobody else’s, also where one name begins with the other', async () => {
    const { a, keyv, cache } = setUp(make)
    const others = [keyv('ab'), keyv('a:b')]
    for (const one of [a, ...others]) await one.set('x', 1)
    await cache.set('a:x', 1)
    await a.clear()
    expect(await a.has('x')).toBe(false)
    for (const other of others) expect(await other.has('x')).toBe(true)
    expect(await cache.has('a:x')).toBe(true)
  })

  it('iterates over its own entries', async () => {
    const { a, keyv } = setUp(make)
    await a.setMany(Array.from({ length: 250 }, (_, i) => ({ key: `k${i}`, value: i })))
    await keyv('b').set('x', 1)
    await a.set('k250', 250)
    const found = new Map<unknown, unknown>()
    // Keyv 5 has a function there, Keyv 6 a method.
    const pairs = (a.iterator as (namespace?: string) => AsyncIterable<[string, unknown]>).call(a, 'a')
    for await (const [key, value] of pairs) found.set(key, value)
    expect(found).toEqual(new Map(Array.from({ length: 251 }, (_, i) => [`k${i}`, i])))
  })

  it('gives back dates, maps and undefined where Keyv does not serialize', async () => {
    const { a } = setUp(make, {}, raw)
    const value = { at: new Date(1), map: new Map([['a', new Set([1n])]]), none: undefined }
    await a.set('x', value)
    expect(await a.get('x')).toStrictEqual(value)
    expect(await a.get(['x'])).toStrictEqual([value])
    expect(await a.has('x')).toBe(true)
  })

  it('hears of what a cache could not do, until it disconnects; the cache stays open', async () => {
    const clock = fakeClock(Date.now())
    const store = faultyStore(mapStore(clock))
    const cache = createCache({ store, clock })
    open.push(cache)
    const a = make({ store: flowKeyv(cache), namespace: 'a' })
    const errors: unknown[] = []
    a.on('error', (error) => errors.push(error))
    store.fail('reject')
    await a.set('x', 1)
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_STORE' })])
    await a.disconnect()
    store.fail('none')
    expect([errors.length, cache.closed]).toEqual([1, false])
  })

  it('closes the cache with it where it is told to', async () => {
    const { a, cache } = setUp(make, { closes: true })
    await a.set('x', 1)
    await a.disconnect()
    expect(cache.closed).toBe(true)
  })

  it('shares memory and Redis with another process', async () => {
    const tiers = () => {
      const cache = new MultiLevelCache({
        tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix: 'keyv-bridge:' })],
      })
      open.push(cache)
      return make({ store: flowKeyv(cache), namespace: 'a', ...raw })
    }
    const [one, two] = [tiers(), tiers()]
    const value = { at: new Date(1) }
    await one.set('x', value)
    expect(await two.get('x')).toStrictEqual(value)
    await one.clear()
    await expect.poll(() => two.get('x')).toBe(undefined)
  })
})

describe('the adapter', () => {
  it('ends what it had where the ttl is over before it begins', async () => {
    const { cache } = setUp(versions[0]![1])
    const adapter = flowKeyv(cache)
    await cache.setMany([
      ['x', 'old'],
      ['y', 'old'],
    ])
    expect(await adapter.set('x', 'new', -5)).toBe(true)
    expect(await adapter.setMany([{ key: 'y', value: 'new', ttl: -5 }])).toEqual([true])
    expect(await adapter.getMany(['x', 'y'])).toEqual([undefined, undefined])
  })

  it('keeps the last value of a key that is set twice at once, whatever their ttls', async () => {
    const { cache } = setUp(versions[0]![1])
    const adapter = flowKeyv(cache)
    const pairs = [
      { key: 'x', value: 1, ttl: 60_000 },
      { key: 'y', value: 1, ttl: -5 },
      { key: 'x', value: 2, ttl: -5 },
      { key: 'y', value: 2, ttl: 60_000 },
      { key: 'y', value: 3, ttl: -5 },
      { key: 'y', value: 4, ttl: 60_000 },
    ]
    expect(await adapter.setMany(pairs)).toEqual(pairs.map(() => true))
    expect(await adapter.getMany(['x', 'y'])).toEqual([undefined, 4])
  })
})

it('refuses what is no cache, a wrong ttl and options nobody knows', () => {
  const { cache } = setUp(versions[0]![1])
  expect(() => flowKeyv({} as never)).toThrow('cache must be a cache of flow-cache, got object')
  expect(() => flowKeyv(cache, { ttl: -1 })).toThrow('ttl must not be negative')
  expect(() => flowKeyv(cache, { close: true } as never)).toThrow("unknown option 'close' in flowKeyv")
})
