import { randomUUID } from 'node:crypto'
import { type Cache, createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { flowCacheDriver, type FlowCacheDriverOptions } from '@flow-cache/unstorage'
import { createStorage, prefixStorage, restoreSnapshot, snapshot } from 'unstorage'
import { afterEach, describe, expect, it } from 'vitest'

const open: Cache[] = []
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close()
})

function setUp(options: Partial<FlowCacheDriverOptions> = {}) {
  const clock = fakeClock(Date.parse('2026-01-01T00:00:00Z'))
  const cache = options.cache ?? createCache({ store: mapStore(clock), clock })
  open.push(cache)
  const driver = flowCacheDriver({ cache, clock, ...options })
  return { clock, cache, driver, storage: createStorage({ driver }) }
}

const caches: readonly (readonly [string, () => Cache])[] = [
  ['memory', () => createCache({ store: memoryStore() })],
  [
    'memory and Redis',
    () =>
      new MultiLevelCache({
        tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix: `${randomUUID()}:` })],
      }),
  ],
  ['a namespace', () => createCache({ store: memoryStore() }).namespace('storage')],
]

describe.each(caches)('unstorage over %s', (_, make) => {
  it('keeps what its own drivers keep: text, numbers, booleans, null and plain objects', async () => {
    const { storage } = setUp({ cache: make() })
    const values = { a: 'text', b: 5, c: false, d: null, e: { f: [1, 'x'] }, g: '' }
    for (const [key, value] of Object.entries(values)) await storage.setItem(key, value)
    for (const [key, value] of Object.entries(values)) {
      expect(await storage.getItem(key)).toEqual(value)
      expect(await storage.hasItem(key)).toBe(true)
    }
    expect([await storage.getItem('nobody'), await storage.hasItem('nobody')]).toEqual([null, false])
    await storage.removeItem('a')
    expect(await storage.getItem('a')).toBe(null)
  })

  it('keeps raw values as they are', async () => {
    const { storage } = setUp({ cache: make() })
    const raw = { bytes: new Uint8Array([0, 255]), at: new Date(5), map: new Map([['a', 1n]]) }
    await storage.setItemRaw('a', raw)
    await storage.setItemRaw('b', new Uint8Array([1, 2]))
    expect(await storage.getItemRaw('a')).toStrictEqual(raw)
    expect(await storage.getItemRaw('b')).toStrictEqual(new Uint8Array([1, 2]))
    expect(await storage.getItemRaw('nobody')).toBe(null)
  })

  it('reads and writes many items at once', async () => {
    const { storage } = setUp({ cache: make() })
    await storage.setItems([
      { key: 'a', value: 1 },
      { key: 'b:c', value: 2, options: { ttl: 60 } },
    ])
    expect(await storage.getItems(['b:c', 'nobody', 'a'])).toEqual([
      { key: 'b:c', value: 2 },
      { key: 'nobody', value: null },
      { key: 'a', value: 1 },
    ])
  })

  it('lists and clears below a base, whatever characters keys hold, and everything', async () => {
    const { storage, driver } = setUp({ cache: make() })
    for (const key of ['a:1', 'a:2:x', 'ab:1', 'a*:1', '[a]:1', '@n:1']) await storage.setItem(key, key)
    expect((await storage.getKeys('a')).toSorted()).toEqual(['a:1', 'a:2:x'])
    expect(await storage.getKeys('a*')).toEqual(['a*:1'])
    expect(await storage.getKeys('a', { maxDepth: 1 })).toEqual(['a:1'])
    // unstorage itself clears whole mounts alone.
    await driver.clear('a:')
    expect((await storage.getKeys()).toSorted()).toEqual(['@n:1', '[a]:1', 'a*:1', 'ab:1'])
    await driver.clear('[a]:')
    expect(await storage.getKeys()).toHaveLength(3)
    await storage.clear()
    expect(await storage.getKeys()).toEqual([])
  })

  it('mounts beside others, has prefixes, snapshots and restores', async () => {
    const { driver } = setUp({ cache: make() })
    const storage = createStorage().mount('cache', driver)
    await storage.setItem('else', 1)
    await prefixStorage(storage, 'cache:users').setItem('7', { name: 'Ada' })
    expect((await storage.getKeys()).toSorted()).toEqual(['cache:users:7', 'else'])
    const kept = await snapshot(storage, 'cache')
    await storage.clear('cache')
    expect(await storage.getKeys()).toEqual(['else'])
    await restoreSnapshot(storage, kept, 'cache')
    expect(await storage.getItem('cache:users:7')).toEqual({ name: 'Ada' })
  })
})

it('keeps an item for its ttl in seconds, and without one for ever, or for as long as the driver says', async () => {
  const { storage, clock } = setUp()
  const other = setUp({ ttl: '1m' })
  await storage.setItem('short', 1, { ttl: 5 })
  await storage.setItem('ever', 1)
  await other.storage.setItem('minute', 1)
  await clock.advance(4_999)
  expect(await storage.hasItem('short')).toBe(true)
  await clock.advance(1)
  expect([await storage.hasItem('short'), await storage.getItem('short')]).toEqual([false, null])
  await clock.advance(1e12)
  expect(await storage.hasItem('ever')).toBe(true)
  await other.clock.advance(59_999)
  expect(await other.storage.hasItem('minute')).toBe(true)
  await other.clock.advance(1)
  expect(await other.storage.hasItem('minute')).toBe(false)
})

it('tells when an item was set, how long it is kept, and what was noted with it', async () => {
  const { storage, clock } = setUp()
  const set = new Date(clock.now())
  await storage.setItem('a', 1, { ttl: 60 })
  await storage.setItem('b', 1)
  await storage.setMeta('a', { owner: 'ada' })
  await clock.advance(10_000)
  expect(await storage.getMeta('a')).toEqual({ mtime: set, ttl: 50, owner: 'ada' })
  expect(await storage.getMeta('b')).toEqual({ mtime: set })
  expect(await storage.getMeta('nobody')).toEqual({})
})

it('tells watchers of what is set, loaded and removed by whoever uses the cache, and of nothing beside it', async () => {
  const root = createCache({ store: memoryStore({ maxEntries: 2 }) })
  const cache = root.namespace('storage')
  const { storage } = setUp({ cache })
  const seen: string[] = []
  const stop = await storage.watch((event, key) => seen.push(`${event} ${key}`))
  await storage.setItem('a', 1)
  await cache.getOrSet('b', () => '2')
  await storage.removeItem('b')
  await cache.set('c', '3')
  await cache.set('d', '4')
  await root.set('e', 5)
  expect(seen).toEqual(['update a', 'update b', 'remove b', 'update c', 'remove a', 'update d', 'remove c'])
  await stop()
  await storage.setItem('f', 1)
  expect(seen).toHaveLength(7)
  await root.close()
})

it('leaves the cache open when it is disposed of, or closes it, and tells nobody any more', async () => {
  for (const closes of [false, true]) {
    const { storage, driver, cache } = setUp({ closes })
    const seen: string[] = []
    driver.watch((_, key) => seen.push(key))
    await storage.dispose()
    expect(cache.closed).toBe(closes)
    if (!closes) await cache.set('a', 1)
    expect(seen).toEqual([])
  }
})

it('hands out its cache, and says that it knows ttl', () => {
  const { driver, cache } = setUp()
  expect([driver.getInstance() === cache, driver.name, driver.flags.ttl]).toEqual([true, 'flow-cache', true])
})

it('refuses what is no cache, a wrong ttl and options nobody knows', () => {
  const { cache } = setUp()
  expect(() => flowCacheDriver({ cache: {} as never })).toThrow(
    'cache must be a cache of flow-cache, got object',
  )
  expect(() => flowCacheDriver({ cache, ttl: -1 })).toThrow('ttl must not be negative')
  expect(() => flowCacheDriver({ cache, base: 'a' } as never)).toThrow(
    "unknown option 'base' in flowCacheDriver",
  )
})
