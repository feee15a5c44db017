import { RedisCache } from '@flow-cache/redis'
import { type RedisServer, startRedis } from '@flow-cache/servers'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

let server: RedisServer
let admin: Redis

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
})
afterAll(async () => {
  await admin.quit()
  await server[Symbol.asyncDispose]()
})

/** Waits until the server has no connection but the one that asks. */
async function expectNobody(): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(
        String(await admin.client('LIST'))
          .trim()
          .split('\n'),
      ).toHaveLength(1),
    { timeout: 20_000, interval: 50 },
  )
}

const first: Readonly<Record<string, (cache: RedisCache) => Promise<unknown>>> = {
  get: (cache) => cache.get('k'),
  set: (cache) => cache.set('k', 1),
  getOrSet: (cache) => cache.getOrSet('k', () => 1),
  invalidateTags: (cache) => cache.invalidateTags(['t']),
}

it.each(Object.keys(first))(
  'close during a first %s leaves no connection',
  async (name) => {
    for (const ms of [0, 1, 3]) {
      const caches = Array.from(
        { length: 5 },
        () => new RedisCache({ url: server.url, prefix: `${name} ${ms}:` }),
      )
      const calls = caches.map((cache) => first[name]!(cache).catch(() => {}))
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
      await Promise.all([...caches.map((cache) => cache.close()), ...calls])
    }
    await expectNobody()
  },
  60_000,
)

it('a cache whose options are refused leaves no connection', async () => {
  for (let i = 0; i < 5; i++) {
    expect(() => new RedisCache({ url: server.url, ttl: -1 })).toThrow('ttl must')
  }
  await expectNobody()
}, 60_000)

it('a store that would wait longer for a write than its cache is refused', async () => {
  expect(() => new RedisCache({ url: server.url, timeout: '5s' })).toThrow(
    'timeout (5000 ms) must not exceed the 200 ms after which a call is given up (timeouts.store)',
  )
  await new RedisCache({
    url: server.url,
    timeout: '5s',
    timeouts: { store: '5s' },
    leaseTerm: '20s',
  }).close()
  await expectNobody()
}, 60_000)
