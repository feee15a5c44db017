import { randomUUID } from 'node:crypto'
import { createEntry } from '@flow-cache/core'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** Time enough for every call on a busy machine. */
const patient = { timeouts: { store: '10s' }, leaseTerm: '20s' } as const

let redis: Redis
let prefix: string
beforeAll(() => {
  redis = new Redis(redisUrl())
})
afterAll(() => redis.quit())
beforeEach(() => {
  prefix = `${randomUUID()}:`
})

const under = (key: string): string => `${prefix}e|${key}`

describe('fault 13: bytes under our keys that are not ours', { timeout: 30_000 }, () => {
  it('cut off at every length, or with any byte changed, they are a miss and an event', async () => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix, grace: '1h' })
    const poisoned: unknown[] = []
    cache.on('poisoned', ({ error }) => poisoned.push(error))
    const value = { text: 'what was put in', list: [1, 2, { deep: true }] }
    await cache.set('k', value, { tags: ['t'] })
    const bytes = (await redis.getBuffer(under('k')))!
    const damaged: Buffer[] = []
    for (let length = 0; length < bytes.length; length++) damaged.push(bytes.subarray(0, length))
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 128]) {
        const copy = Buffer.from(bytes)
        copy[at]! ^= bit
        damaged.push(copy)
      }
    }
    for (const one of damaged) {
      await redis.set(under('k'), one)
      expect(await cache.get('k')).toBeUndefined()
    }
    expect(poisoned).toHaveLength(damaged.length)
    for (const error of poisoned) expect(error).toMatchObject({ code: 'ERR_POISONED' })
    // It was taken away, and the key works as before.
    expect(await redis.exists(under('k'))).toBe(0)
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(await cache.get('k')).toBe('loaded')
  })

  it.each<[what: string, bytes: Buffer | string]>([
    ['nothing', ''],
    ['text', 'hello'],
    [
      'another library’s JSON',
      '{"value":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    ],
    ['zeros', Buffer.alloc(200)],
    ['noise', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7919) % 256))],
    [
      'our magic, then noise',
      Buffer.from([0xfc, 1, 1, 0, ...Array.from({ length: 300 }, (_, i) => (i * 31) % 256)]),
    ],
    ['a later layout', Buffer.concat([Buffer.from([0xfc, 2, 1, 0]), Buffer.alloc(100)])],
  ])('%s: a load goes on, and its value replaces them', async (_, bytes) => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix })
    const poisoned: string[] = []
    cache.on('poisoned', ({ key }) => poisoned.push(key))
    await redis.set(under('k'), bytes)
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(await cache.getOrSet('k', () => 'again')).toBe('loaded')
    expect(poisoned).toEqual(['k'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it.each([Infinity, 1e300, Date.now() + 7 * 24 * 3_600_000])(
    'a lease that ends at %d is damage, and nobody waits for its end',
    async (until) => {
      await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix, grace: '1h' })
      const poisoned: string[] = []
      cache.on('poisoned', ({ key }) => poisoned.push(key))
      const lease = Buffer.alloc(32, 'x')
      lease.writeDoubleBE(until, 24)
      await redis.set(under('alone'), Buffer.concat([Buffer.from([0xfc, 1, 0, 0]), lease, Buffer.alloc(8)]))
      await cache.set('stale', 'old')
      await cache.expire('stale')
      await redis.setrange(under('stale'), 4, lease)
      for (const key of ['alone', 'stale']) expect(await cache.getOrSet(key, () => 'loaded')).toBe('loaded')
      expect(poisoned).toEqual(['alone', 'stale'])
    },
  )

  it('a key of another type', async () => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix })
    for (const [key, make] of [
      ['list', () => redis.rpush(under('list'), 'x')],
      ['hash', () => redis.hset(under('hash'), 'a', 'b')],
      ['stream', () => redis.xadd(under('stream'), '*', 'a', 'b')],
    ] as const) {
      await make()
      expect(await cache.get(key)).toBeUndefined()
      await make()
      expect(await cache.getOrSet(key, () => 'loaded')).toBe('loaded')
      expect(await cache.get(key)).toBe('loaded')
      await cache.delete(key)
      await make()
      await cache.set(key, 'set')
      expect(await cache.get(key)).toBe('set')
    }
  })

  it('an entry that was copied from another key', async () => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix })
    await cache.set('mine', 'secret')
    await redis.copy(under('mine'), under('yours'))
    expect(await cache.get('yours')).toBeUndefined()
    expect(await cache.get('mine')).toBe('secret')
  })

  it('values from long ago, with a codec that is not in use any more', async () => {
    const { jsonCodec } = await import('@flow-cache/redis')
    await using before = new RedisCache({ ...patient, url: redisUrl(), prefix, codec: jsonCodec })
    await using now = new RedisCache({ ...patient, url: redisUrl(), prefix })
    await before.set('k', { a: 1 })
    expect(await now.getOrSet('k', () => 'anew')).toBe('anew')
  })

  it('random bytes never crash, whatever is called', async () => {
    const store = redisStore({ url: redisUrl(), prefix })
    const calls = [
      () => store.get('k'),
      () => store.batch!.getMany(['k', 'l']),
      () => store.leases!.acquire('k', 'token', 100),
      () => store.leases!.acquire('k', 'token', 100, true),
      () => store.leases!.renew('k', 'token', 100),
      () => store.leases!.release('k', 'token'),
      () => store.leases!.expire('k'),
      () => store.leases!.commit('k', 'token', createEntry({ value: 1, createdAt: Date.now(), ttl: 1_000 })),
      () => store.delete('k'),
    ]
    const heads = [[], [0xfc], [0xfc, 1, 0, 0], [0xfc, 1, 1, 0], [0xfc, 2, 1, 0]]
    const some = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 200 }))
    for (const call of calls) {
      await fc.assert(
        fc.asyncProperty(some, async ([head, rest]) => {
          await redis.set(under('k'), Buffer.from([...head, ...rest]))
          const answer = await Promise.resolve(call()).catch((error: unknown) => error)
          if (answer instanceof Error) expect(answer).toMatchObject({ code: 'ERR_POISONED' })
        }),
      )
    }
    expect(Object.keys(Object.prototype)).toEqual([])
    await store.close()
  })
})

it('something else under the log’s own keys fails one change, goes, and is told', async () => {
  await using server = await startRedis()
  const admin = new Redis(server.url)
  await using cache = new RedisCache({
    url: server.url,
    prefix: 'p:',
    timeouts: { store: '10s' },
    leaseTerm: '20s',
  })
  await cache.set('k', 1)
  for (const key of ['p:{m}l|', 'p:{m}m|']) {
    await admin.set(key, 'something else')
    const errors: string[] = []
    const stop = cache.on('error', ({ error }) => errors.push((error as Error).message))
    await cache.set('k', 2)
    await cache.set('k', 3)
    expect(await cache.get('k')).toBe(3)
    stop()
    expect(errors.filter((message) => message.startsWith('the store failed'))).toHaveLength(1)
    expect(await admin.type(key)).not.toBe('string')
  }
  await admin.quit()
}, 30_000)
