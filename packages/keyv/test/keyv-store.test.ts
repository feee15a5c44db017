import { setTimeout } from 'node:timers/promises'
import KeyvRedis from '@keyv/redis'
import { createCache, createEntry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { type KeyvAdapter, keyvStore } from '@flow-cache/keyv'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisUrl } from '@flow-cache/servers/vitest'
import fc from 'fast-check'
import { Keyv } from 'keyv'
import { describe, expect, it } from 'vitest'

const rich = {
  at: new Date(5),
  map: new Map([['a', new Set([1n, Number.NaN])]]),
  bytes: new Uint8Array([0, 255]),
  none: undefined,
  text: '\0 “é” 😀',
}

describe('values', () => {
  it('come back equal from a Map and from @keyv/redis, dates, maps, sets, bigints and bytes included', async () => {
    for (const adapter of [new Map<string, string>(), new KeyvRedis(redisUrl())]) {
      await using cache = createCache({ store: keyvStore(adapter, { namespace: 'values' }) })
      await cache.set('a', rich)
      expect(await cache.get('a')).toStrictEqual(rich)
      await cache.clear()
    }
  })

  it('that cannot be kept are refused, with the path, and the adapter is not asked', async () => {
    const map = new Map<string, string>()
    await using cache = createCache({ store: keyvStore(map), onStoreError: 'throw' })
    await expect(cache.set('a', { b: () => 1 })).rejects.toMatchObject({ code: 'ERR_VALUE', key: 'a' })
    expect(map.size).toBe(0)
  })
})

describe('what is no entry of this store', () => {
  const clock = fakeClock()
  const setUp = async () => {
    const map = new Map<string, string>()
    const store = keyvStore(map, { clock, namespace: 'n' })
    await store.set('a', createEntry({ value: { b: 1 }, createdAt: clock.now(), ttl: 100, version: 2 }))
    return { map, store, text: map.get('n:a')! }
  }
  const poisoned = expect.objectContaining({ code: 'ERR_POISONED' })

  it('is poisoned: cut off anywhere, with one character changed, or anything else', async () => {
    const { map, store, text } = await setUp()
    for (let i = 0; i < text.length; i++) {
      map.set('n:a', text.slice(0, i))
      await expect(store.get('a')).rejects.toEqual(poisoned)
      map.set('n:a', `${text.slice(0, i)}${text[i] === 'x' ? 'y' : 'x'}${text.slice(i + 1)}`)
      await expect(store.get('a')).rejects.toEqual(poisoned)
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.integer(), fc.constant({})), async (any) => {
        map.set('n:a', any as string)
        await expect(store.get('a')).rejects.toEqual(poisoned)
      }),
    )
  })

  it('is poisoned under another key, and for another codec', async () => {
    const { map, store, text } = await setUp()
    map.set('n:b', text)
    await expect(store.get('b')).rejects.toEqual(poisoned)
    const other = keyvStore(map, {
      namespace: 'n',
      clock,
      codec: { name: 'other', encode: () => new Uint8Array(), decode: () => 1 },
    })
    await expect(other.get('a')).rejects.toEqual(poisoned)
  })

  it('is a miss to a cache, which loads anew; so is what Keyv itself wrote', async () => {
    const map = new Map<string, string>()
    await new Keyv({ store: map, namespace: 'n' }).set('a', 1)
    expect([...map.keys()]).toEqual(['n:a'])
    await using cache = createCache({ store: keyvStore(map, { namespace: 'n' }) })
    const told: unknown[] = []
    cache.on('poisoned', ({ key }) => told.push(key))
    expect(await cache.getOrSet('a', () => 2)).toBe(2)
    expect(await cache.get('a')).toBe(2)
    expect(told).toEqual(['a'])
  })
})

describe('an adapter that fails', () => {
  /** Like many adapters: it tells of errors aside, and answers as if nothing were there. */
  function quietAdapter() {
    const listeners: ((error: unknown) => void)[] = []
    const fail =
      <T>(answer: T) =>
      async (): Promise<T> => {
        for (const listener of listeners) listener(new Error('no connection'))
        return answer
      }
    return {
      get: fail(undefined),
      set: fail(undefined),
      delete: fail(false),
      clear: fail(undefined),
      getMany: fail([undefined]),
      async *iterator() {
        await fail(undefined)()
        yield* []
      },
      on: (_: 'error', listener: (error: unknown) => void) => listeners.push(listener),
    } satisfies KeyvAdapter
  }

  it('is a failure, though it answers as if nothing were there', async () => {
    const clock = fakeClock()
    const store = keyvStore(quietAdapter(), { clock })
    const entry = createEntry({ value: 1, createdAt: clock.now(), ttl: 10 })
    const calls = [
      store.get('a'),
      store.set('a', entry),
      store.delete('a'),
      store.clear(),
      store.clear('x'),
      store.batch!.getMany(['a']),
      store.batch!.setMany([['a', entry]]),
      store.batch!.deleteMany(['a']),
      store.keys!.scan('')[Symbol.asyncIterator]().next(),
    ]
    for (const call of calls) await expect(call).rejects.toThrow('no connection')
  })

  it('is a failure where it says that it did not keep an entry', async () => {
    const clock = fakeClock()
    const store = keyvStore({ ...quietAdapter(), set: async () => false, on: () => undefined }, { clock })
    const entry = createEntry({ value: 1, createdAt: clock.now(), ttl: 10 })
    await expect(store.set('a', entry)).rejects.toThrow('did not keep')
  })

  it('hurts nobody: callers get what is loaded', async () => {
    await using cache = createCache({ store: keyvStore(quietAdapter()) })
    const errors: unknown[] = []
    cache.on('error', ({ error }) => errors.push(error))
    expect(await cache.getOrSet('a', () => 1)).toBe(1)
    expect(errors.length).toBeGreaterThan(0)
  })
})

it('serves as the tier behind memory', async () => {
  const adapter = new KeyvRedis(redisUrl())
  const make = () =>
    new MultiLevelCache({ tiers: [memoryStore(), keyvStore(adapter, { namespace: 'tiers' })], ttl: '1m' })
  const first = make()
  await first.set('a', rich)
  const second = make()
  let loads = 0
  expect(await second.getOrSet('a', () => ++loads)).toStrictEqual(rich)
  expect([loads, second.peek('a')]).toEqual([0, rich])
  await first.delete('a')
  await first.close()
  await second.close()
})

it('keeps to its namespace: clear leaves what others have in the same Redis, or Map', async () => {
  const map = new Map<string, string>([['else', '1']])
  const store = keyvStore(map, { namespace: 'mine' })
  await store.set('a', createEntry({ value: 1, createdAt: Date.now(), ttl: 10_000 }))
  await store.clear()
  expect([...map.keys()]).toEqual(['else'])

  const theirs = new Keyv({ store: new KeyvRedis(redisUrl()), namespace: 'theirs' })
  await theirs.set('a', 1)
  const mine = keyvStore(new KeyvRedis(redisUrl()), { namespace: 'mine' })
  await mine.set('a', createEntry({ value: 1, createdAt: Date.now(), ttl: 10_000 }))
  await mine.clear()
  expect([await mine.get('a'), await theirs.get('a')]).toEqual([undefined, 1])
  await mine.close()
  await theirs.delete('a')
  await theirs.disconnect()
})

it('has Redis forget an entry some time after its end', async () => {
  const adapter = new KeyvRedis(redisUrl())
  const store = keyvStore(adapter, { namespace: 'ends' })
  await store.set('a', createEntry({ value: 1, createdAt: Date.now(), ttl: 50 }))
  const client = adapter.client as unknown as { pTTL(key: string): Promise<number> }
  expect(await client.pTTL('ends::ends:a')).toBeGreaterThan(50)
  while ((await client.pTTL('ends::ends:a')) !== -2) await setTimeout(50)
  await store.close()
})

it('refuses what is no adapter, and options nobody knows', () => {
  expect(() => keyvStore(undefined as never)).toThrow(
    'adapter must be a storage adapter of Keyv or a Map, got undefined',
  )
  expect(() => keyvStore(new Keyv() as never)).toThrow('not a Keyv: give its `store`')
  expect(() => keyvStore(new Map(), { prefix: 'a' } as never)).toThrow("unknown option 'prefix' in keyvStore")
  expect(() => keyvStore(new Map(), { namespace: '' })).toThrow(
    "namespace must be a non-empty string, got ''",
  )
  for (const codec of [{}, null, { name: 'x', encode: () => new Uint8Array() }]) {
    expect(() => keyvStore(new Map(), { codec: codec as never })).toThrow(
      'codec must be a codec, with a name',
    )
  }
  expect(() => keyvStore(new Map(), { clock: {} as never })).toThrow('clock must be an object with now()')
})

it('clears no namespace over an adapter that cannot list its keys, and says so', async () => {
  const adapter = {
    get: async () => undefined,
    set: async () => undefined,
    delete: async () => true,
    clear: async () => undefined,
  }
  const store = keyvStore(adapter)
  await expect(store.clear('a')).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
  expect([store.keys, store.batch]).toEqual([undefined, undefined])
})
