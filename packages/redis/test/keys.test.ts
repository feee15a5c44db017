import { randomUUID } from 'node:crypto'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Time enough for every call on a busy machine. */
const patient = { timeouts: { store: '10s' }, leaseTerm: '20s' } as const

let redis: Redis
beforeAll(() => {
  redis = new Redis(redisUrl())
})
afterAll(() => redis.quit())

const odd = [
  '*',
  '?',
  '[a-z]',
  '\\',
  '^',
  ':',
  '{',
  '}',
  '{}',
  '{m}',
  '\0',
  '\n',
  '😀',
  '\ud83d',
  '\ude00',
  '\ufffe',
  '\ufffed83d',
  ' ',
  '__proto__',
  'hasOwnProperty',
  '@',
  '@@',
  '%40',
  'a:b',
]

describe('fault 12: keys, prefixes and namespaces of any characters', { timeout: 30_000 }, () => {
  it('no two keys meet, also not halves of a pair', async () => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix: `${randomUUID()}:` })
    const distinct = [...new Set([...odd, ...odd.flatMap((one) => odd.map((other) => one + other))])]
    await cache.setMany(distinct.map((key) => [key, key]))
    const found = await cache.getMany(distinct)
    for (const key of distinct) expect(found.get(key)).toBe(key)
    expect(found.size).toBe(distinct.length)
  })

  it('a key of a megabyte works, and the log does not keep it', async () => {
    const prefix = `${randomUUID()}:`
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix })
    await using other = new RedisCache({ ...patient, url: redisUrl(), prefix })
    const key = '😀'.repeat(250_000)
    await cache.set(key, 1)
    expect(await other.get(key)).toBe(1)
    await cache.delete(key)
    expect(await redis.memory('USAGE', `${prefix}{m}l|`)).toBeLessThan(20_000)
  })

  it('caches whose prefixes are patterns or beginnings of each other clear nothing of each other', async () => {
    const base = randomUUID()
    const prefixes = ['', '*', 'a', 'a:', 'a[1]:', 'a1:', 'a?:', 'e', 't', '{m}', 'a*', '\\'].map(
      (p) => `${base}${p}`,
    )
    const caches = prefixes.map((prefix) => new RedisCache({ ...patient, url: redisUrl(), prefix }))
    try {
      for (const [i, cache] of caches.entries()) {
        for (const cleared of [0, 1]) {
          for (const [j, other] of caches.entries()) {
            await other.set('k', j)
            await other.set('e|k', j)
            await other.set('*', j, { tags: ['*'] })
          }
          if (cleared === 0) await cache.clear()
          else expect(await cache.clearPattern('*')).toBe(3)
          for (const [j, other] of caches.entries()) {
            const wanted = i === j ? undefined : j
            for (const key of ['k', 'e|k', '*']) expect(await other.get(key)).toBe(wanted)
          }
        }
      }
    } finally {
      await Promise.all(caches.map((cache) => cache.close()))
    }
  })

  it('namespaces that are patterns of each other', async () => {
    await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix: `${randomUUID()}:` })
    const names = ['app[1]', 'app1', 'app*', 'app', 'app1:x', 'app1/x', 'user*', 'users']
    for (const name of names) {
      for (const other of names) await cache.namespace(other).set('a', other)
      await cache.set('a', 'root')
      expect(await cache.namespace(name).clearPattern('a')).toBe(1)
      for (const other of names) {
        expect(await cache.namespace(other).get('a')).toBe(other === name ? undefined : other)
      }
      expect(await cache.get('a')).toBe('root')
    }
  })

  it('neither KEYS nor FLUSHDB is ever sent, and every key that is written has an end', async () => {
    await using server = await startRedis()
    const redis = new Redis(server.url)
    const prefix = 'shop:'
    await using cache = new RedisCache({ ...patient, url: server.url, prefix, ttl: Infinity })
    await cache.set('for ever', 1, { tags: ['t'] })
    await cache.getOrSet('loaded', () => 1, { ttl: '1m', grace: '1h' })
    await cache.set('timed', 1, { ttl: '1m', grace: '1h' })
    await cache.namespace('n').set('k', 1)
    await cache.invalidateTags(['t'])
    await cache.expire('loaded')
    let cursor = '0'
    const keys: string[] = []
    do {
      const [next, some] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000)
      keys.push(...some)
      cursor = next
    } while (cursor !== '0')
    expect(keys.length).toBeGreaterThan(5)
    for (const key of keys)
      expect([key, await redis.pttl(key)]).toEqual([key, expect.toSatisfy((ms: number) => ms > 0)])
    // Stale time included, and little more: what has ended goes.
    for (const [key, ms] of [
      ['loaded', 60 * 60_000],
      ['timed', 61 * 60_000],
    ] as const) {
      const left = await redis.pttl(`${prefix}e|${key}`)
      expect(left).toBeGreaterThan(ms - 20_000)
      expect(left).toBeLessThan(ms + 5_000)
    }
    await cache.clearPattern('*')
    await cache.namespace('n').clear()
    await cache.clear()
    const commands = await redis.info('commandstats')
    expect(commands).not.toMatch(/cmdstat_(keys|flushdb|flushall)/)
    for (const used of ['scan', 'unlink']) expect(commands).toContain(`cmdstat_${used}:`)
    await redis.quit()
  })

  it('what cannot be meant is refused with the name of the argument', () => {
    const bad: [unknown, string][] = [
      [{ prefix: 'a|b' }, "prefix must not contain '|'"],
      [{ prefix: 1 }, 'prefix must be a string'],
      [{ url: 'http://x' }, 'url must begin with redis://'],
      [{ url: 'redis://a', client: redis }, 'give one of url, options, cluster and client'],
      [{ client: {} }, 'client must be a Redis or a Cluster'],
      [{ cluster: { nodes: [] } }, 'cluster.nodes must name at least one node'],
      [{ options: { keyPrefix: 'x:' } }, "keyPrefix 'x:'"],
      [{ nonsense: 1 }, "unknown option 'nonsense'"],
      [{ timeout: -1 }, 'timeout'],
      [{ logLength: 0.5 }, 'logLength'],
      [{ heartbeat: 'soon' }, 'heartbeat'],
      [{ codec: 'json' }, 'codec must have encode(value, key) and decode(bytes, key)'],
      [{ codec: { name: 'x'.repeat(300), encode() {}, decode() {} } }, 'codec.name must be'],
      [{ clock: 5 }, 'clock must have now()'],
      [{ compression: 'x' }, 'compression must be true or an object'],
      [{ compression: new Map() }, 'compression must be true or an object'],
      [{ options: 5 }, 'options must be an object'],
      [{ timeout: null }, 'timeout must not be null'],
      [{ encryption: null }, 'encryption must not be null'],
      [null, 'an object of options'],
    ]
    for (const [options, message] of bad) expect(() => redisStore(options as never)).toThrow(message)
  })
})
