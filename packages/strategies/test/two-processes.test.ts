import { randomUUID } from 'node:crypto'
import type { Cache } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { ReadThrough, RefreshAhead, SmartCache, WriteAround, WriteThroughCache } from '@flow-cache/strategies'
import { afterEach, describe, expect, it } from 'vitest'
import { table } from './table.js'

/** A machine that is busy with other tests is no reason for a miss. */
const patient = { timeouts: { store: '20s' }, leaseTerm: '30s', ttl: '1h' } as const
/** For what another process hears of later. */
const soon = { timeout: 20_000, interval: 5 }

const places: Record<string, (prefix: string) => Cache> = {
  Redis: (prefix) => new RedisCache({ url: redisUrl(), prefix, ...patient }),
  'memory and Redis': (prefix) =>
    new MultiLevelCache({ tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix })], ...patient }),
}

describe.each(Object.entries(places))('two caches over %s', (_, make) => {
  const open: Cache[] = []
  afterEach(async () => {
    await open[0]?.clear()
    for (const cache of open.splice(0)) await cache.close()
  })
  const two = (): readonly [Cache, Cache] => {
    const prefix = `strategies-${randomUUID()}:`
    open.push(make(prefix), make(prefix))
    return open as unknown as [Cache, Cache]
  }

  it('what one SmartCache invalidates is gone in the other, and the answer has the keys of both', async () => {
    const [here, there] = two().map((cache) => new SmartCache({ cache })) as [SmartCache, SmartCache]
    await here.set('user', 'Ada')
    await there.set('posts', 1, { dependsOn: ['user'] })
    // News that are under way may keep a load from being kept.
    const keep = async (smart: SmartCache, key: string, parent: string): Promise<unknown> => {
      await smart.getOrSet(key, async () => `${key} of ${await smart.get<string>(parent)}`, {
        dependsOn: [parent],
      })
      return smart.get(key)
    }
    await expect.poll(() => keep(here, 'page', 'posts'), soon).toBe('page of 1')
    await expect.poll(() => keep(there, 'site', 'page'), soon).toBe('site of page of 1')
    expect(await there.get('user')).toBe('Ada')
    expect((await here.invalidate('user')).toSorted()).toEqual(['page', 'posts', 'site', 'user'])
    for (const key of ['user', 'posts', 'page', 'site']) {
      expect(await here.get(key), key).toBeUndefined()
      await expect.poll(() => there.get(key), soon).toBeUndefined()
    }
  }, 60_000)

  it('caches that list dependents at once lose none', async () => {
    const [here, there] = two().map((cache) => new SmartCache({ cache })) as [SmartCache, SmartCache]
    const keys = Array.from({ length: 40 }, (_, i) => `child ${i}`)
    await Promise.all(
      keys.map((key, i) => (i % 2 === 0 ? here : there).set(key, i, { dependsOn: ['parent'] })),
    )
    expect((await there.invalidate('parent')).toSorted()).toEqual(keys.toSorted())
    for (const key of keys) expect(await there.get(key)).toBeUndefined()
  }, 60_000)

  it('a value that one loads from what the other invalidates meanwhile is not kept', async () => {
    const [here, there] = two().map((cache) => new SmartCache({ cache })) as [SmartCache, SmartCache]
    await here.set('user', 'old', { dependsOn: ['table'] })
    const page = await there.getOrSet(
      'page',
      async () => {
        const value = `page of ${await there.get<string>('user')}`
        await here.invalidate('table')
        return value
      },
      { dependsOn: ['user'] },
    )
    expect(page).toBe('page of old')
    await expect.poll(() => there.get('page'), soon).toBeUndefined()
    expect(await here.get('page')).toBeUndefined()
  }, 60_000)

  it('a SmartCache stays right when the server has lost its index', async () => {
    const [cache, other] = two()
    const [here, there] = [new SmartCache({ cache }), new SmartCache({ cache: other })]
    await here.set('a', 1, { dependsOn: ['root'] })
    await there.set('b', 1, { dependsOn: ['a'] })
    await cache.namespace('dependencies').clear()
    await there.invalidate('root')
    await expect.poll(() => here.get('b'), soon).toBeUndefined()
    expect(await there.get('b')).toBeUndefined()
  }, 60_000)

  it.each([
    ['WriteThroughCache', WriteThroughCache],
    ['WriteAround', WriteAround],
  ] as const)(
    'writers of one key in both leave what the origin has: %s',
    async (_, Strategy) => {
      const origin = table()
      // Each call takes a random number of turns there and back.
      let seed = 7
      const turns = async (): Promise<void> => {
        seed = (seed * 48_271) % 2_147_483_647
        for (let i = seed % 4; i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
      }
      const { write } = origin
      origin.before = turns
      origin.write = async (...args) => {
        await write(...args)
        await turns()
      }
      const [here, there] = two().map((cache) => new Strategy({ cache, origin })) as unknown as [
        WriteAround<string>,
        WriteAround<string>,
      ]
      for (let round = 0; round < 25; round++) {
        const writes = [here, there].flatMap((strategy, i) => [
          strategy.get('k'),
          strategy.set('k', `${round} of ${i}`),
          strategy.get('k'),
        ])
        await Promise.all(writes)
        const truth = origin.rows.get('k')
        for (const strategy of [here, there]) await expect.poll(() => strategy.get('k'), soon).toBe(truth)
      }
    },
    120_000,
  )

  it('a key that both read through is asked for once', async () => {
    const origin = table({ a: 'A', b: 'B' })
    const [here, there] = two().map((cache) => new ReadThrough({ cache, origin })) as [
      ReadThrough<string>,
      ReadThrough<string>,
    ]
    const answers = await Promise.all([here.getMany(['a', 'b']), there.getMany(['b', 'a']), here.get('a')])
    expect(answers[0]).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
      ]),
    )
    expect(answers[1]).toEqual(answers[0])
    const asked = origin.asked.flatMap((what) => what.split(' ').slice(1))
    expect(asked.toSorted()).toEqual(['a', 'b'])
  }, 60_000)

  it('a key in use is loaded anew before it ends', async () => {
    const [cache] = two()
    const origin = table({ a: '1' })
    await using ahead = new RefreshAhead({ cache, origin, ttl: '2s', factor: 0.1 })
    await ahead.get('a')
    origin.rows.set('a', '2')
    await expect.poll(() => ahead.get('a'), soon).toBe('2')
    expect(cache.stats().misses).toBeLessThanOrEqual(2)
  }, 60_000)
})
