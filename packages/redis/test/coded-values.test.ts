import { randomBytes, randomUUID } from 'node:crypto'
import { RedisCache, type RedisCacheOptions } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

let redis: Redis
let prefix: string
beforeAll(() => {
  redis = new Redis(redisUrl())
})
afterAll(() => redis.quit())
beforeEach(() => {
  prefix = `${randomUUID()}:`
})

/** A process with these options, and the keys that were poisoned to it. */
function member(options: RedisCacheOptions): { cache: RedisCache; poisoned: string[] } {
  const patient = { timeouts: { store: '10s' }, leaseTerm: '20s' } as const
  const cache = new RedisCache({ ...patient, url: redisUrl(), prefix, ...options })
  onTestFinished(() => cache.close())
  const poisoned: string[] = []
  cache.on('poisoned', ({ key }) => poisoned.push(key))
  return { cache, poisoned }
}

const stored = async (key: string): Promise<Buffer> => (await redis.getBuffer(`${prefix}e|${key}`))!

const value = {
  text: 'a secret text '.repeat(500),
  at: new Date(0),
  map: new Map([['a', new Set([1n, undefined])]]),
  numbers: [Number.NaN, -0],
  bytes: new Uint8Array([1, 2, 255]),
}

const [old, fresh] = [randomBytes(32), randomBytes(32)]

describe('values that are compressed or encrypted', { timeout: 30_000 }, () => {
  it.each<[what: string, options: RedisCacheOptions, isShort: boolean, isLegible: boolean]>([
    ['as they are', {}, false, true],
    ['compressed', { compression: true }, true, false],
    ['encrypted', { encryption: { keys: { old } } }, false, false],
    ['both', { compression: { threshold: 100 }, encryption: { keys: { old } } }, true, false],
  ])('%s, are the same in another process', async (_, options, isShort, isLegible) => {
    const [one, other] = [member(options), member(options)]
    await one.cache.set('set', value)
    expect(await one.cache.getOrSet('loaded', () => value)).toStrictEqual(value)
    expect(await other.cache.get('set')).toStrictEqual(value)
    expect(await other.cache.getOrSet('loaded', () => 'again')).toStrictEqual(value)
    for (const key of ['set', 'loaded']) {
      const bytes = await stored(key)
      expect([bytes.length < 1_000, bytes.includes('secret')]).toEqual([isShort, isLegible])
    }
    expect([...one.poisoned, ...other.poisoned]).toEqual([])
  })

  it('with a key that comes and one that goes, are read by all who have the key', async () => {
    const before = member({ encryption: { keys: { old } } })
    const during = member({ encryption: { keys: { old, fresh }, current: 'fresh' } })
    const after = member({ encryption: { keys: { fresh } } })
    await before.cache.set('a', 'with the old key')
    await during.cache.set('b', 'with the new key')
    expect(await during.cache.get('a')).toBe('with the old key')
    expect(await after.cache.get('b')).toBe('with the new key')
    expect([...during.poisoned, ...after.poisoned]).toEqual([])
    expect(await after.cache.getOrSet('a', () => 'loaded')).toBe('loaded')
    expect(after.poisoned).toEqual(['a'])
    expect(await during.cache.get('a')).toBe('loaded')
  })

  it('moved to another key, or written without what reads them, are misses and events', async () => {
    const { cache, poisoned } = member({ encryption: { keys: { old } } })
    await cache.set('mine', 'secret')
    await redis.copy(`${prefix}e|mine`, `${prefix}e|yours`)
    expect(await cache.get('yours')).toBeUndefined()
    await member({}).cache.set('plain', 1)
    await member({ compression: true }).cache.set('compressed', 1)
    for (const key of ['plain', 'compressed']) expect(await cache.get(key)).toBeUndefined()
    expect(poisoned).toEqual(['yours', 'plain', 'compressed'])
    expect(await cache.get('mine')).toBe('secret')
  })

  it('that would become longer than maxValueBytes are misses and events, and are never made', async () => {
    const large = member({ compression: true, maxValueBytes: 128 * 2 ** 20 })
    const bomb = 64 * 2 ** 20
    await large.cache.set('k', Buffer.alloc(bomb))
    expect((await stored('k')).length).toBeLessThan(bomb / 100)
    const { cache, poisoned } = member({ compression: true })
    const before = process.memoryUsage().arrayBuffers
    expect(await cache.get('k')).toBeUndefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bomb / 2)
    expect(poisoned).toEqual(['k'])
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
  })

  it('longer than maxValueBytes are refused where they are set, however short they would get', async () => {
    const { cache } = member({ compression: true, maxValueBytes: 1_000 })
    await expect(cache.set('k', 'x'.repeat(1_001))).rejects.toMatchObject({ code: 'ERR_VALUE' })
    await cache.set('k', 'x'.repeat(900))
    expect(await cache.get('k')).toBe('x'.repeat(900))
  })
})
