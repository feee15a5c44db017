import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { type RedisServer, startProxy, startRedis } from '@flow-cache/servers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { client, member, patient, until } from '../fleet.js'

let redis: RedisServer
let prefix: string
beforeEach(async () => {
  redis = await startRedis()
  prefix = `${randomUUID()}:`
})
afterEach(() => redis.stop())

/** Frees what nothing holds, so that the heap can be measured. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

const timed = async (act: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await act()
  return performance.now() - begun
}

async function warm(cache: MultiLevelCache, count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await cache.getOrSet(`warm ${i}`, () => i)
}

describe('fault 3: a Redis that hangs', { timeout: 30_000 }, () => {
  it('hits in memory cost nothing, misses a little, and it is used again when it is back', async () => {
    const cache = member(redis.url, prefix)
    await warm(cache)
    redis.pause()
    expect(
      await timed(async () => {
        for (let i = 0; i < 50; i++) expect(await cache.getOrSet(`warm ${i}`, () => -1)).toBe(i)
      }),
    ).toBeLessThan(20)
    expect(await timed(() => cache.getOrSet('first miss', () => 1))).toBeLessThan(600)
    for (let i = 0; i < 9; i++) await cache.getOrSet(`miss ${i}`, () => i)
    for (let i = 0; i < 20; i++) {
      expect(await timed(() => cache.getOrSet(`later ${i}`, () => i))).toBeLessThan(30)
      expect(await timed(() => cache.get(`warm ${i}`))).toBeLessThan(30)
      await sleep(80)
    }
    // What was loaded meanwhile is kept in memory.
    expect(await cache.getOrSet('later 3', () => 'again')).toBe(3)
    redis.resume()
    const other = member(redis.url, prefix)
    await until(async () => {
      const key = randomUUID()
      await cache.set(key, 1)
      return (await other.get(key)) === 1
    }, 5_000)
  })

  it.each(['hangs', 'dies'])(
    'opens the circuit for one caller who only misses, when it was used and %s',
    async (how) => {
      const cache = member(redis.url, prefix)
      await warm(cache)
      // From here on it knows where the log stands, and need not ask.
      await sleep(1_000)
      const told: string[] = []
      cache.on('circuit', ({ state }) => told.push(state))
      if (how === 'hangs') redis.pause()
      else await redis.kill()
      for (let i = 0; i < 10; i++) await cache.getOrSet(`miss ${i}`, () => sleep(5, i))
      expect(told).toContain('open')
      if (how === 'hangs') redis.resume()
    },
  )

  it('two hundred callers at a time for seconds: each is answered in time', async () => {
    const cache = member(redis.url, prefix)
    await warm(cache)
    redis.pause()
    const end = performance.now() + 3_000
    let slowest = 0
    let calls = 0
    while (performance.now() < end) {
      const all = Array.from({ length: 200 }, async (_, i) => {
        const key = `k${calls + (i % 40)}`
        slowest = Math.max(
          slowest,
          await timed(() => cache.getOrSet(key, () => sleep(20, 'v'), { ttl: '1m' })),
        )
      })
      await Promise.all(all)
      calls += 200
    }
    expect(calls).toBeGreaterThan(2_000)
    expect(slowest).toBeLessThan(20 + 200 + 250)
    redis.resume()
    expect(await timed(() => cache.close())).toBeLessThan(2_000)
  })

  it('reads and writes that go on leave nothing behind on the heap', async () => {
    const few = 1_000
    const cache = new MultiLevelCache({
      tiers: [memoryStore({ maxEntries: few }), redisStore({ url: redis.url, prefix })],
    })
    await warm(cache)
    redis.pause()
    /** Eight thousand calls, as quickly as they are answered; then the heap. */
    const heapAfter = async (round: number): Promise<number> => {
      for (let i = 0; i < 40; i++) {
        await Promise.all(
          Array.from({ length: 100 }, async (_, j) => {
            const key = `${round} ${i} ${j}`
            await cache.getOrSet(key, () => 'v', { tags: ['t'] })
            await (j % 2 === 0 ? cache.set(key, 'w') : cache.delete(key))
          }),
        )
        // Now and then a probe is sent, and a line that is dead is given up.
        await sleep(10)
      }
      await cache.drain()
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    // What has a limit reaches it: entries in memory, and 10,000 removals that are owed.
    for (const round of [1, 2, 3]) await heapAfter(round)
    const before = await heapAfter(4)
    const grown = (await heapAfter(5)) - before
    // A hundred bytes of each call would be nearly as much.
    expect(grown).toBeLessThan(1e6)
    redis.resume()
    await cache.close()
  }, 120_000)

  it.each(['running', 'hung', 'dead'])(
    'close() takes no time when Redis is %s, with loads and writes under way',
    async (how) => {
      const cache = member(redis.url, prefix)
      await warm(cache)
      if (how === 'hung') redis.pause()
      if (how === 'dead') await redis.kill()
      const work = [
        cache.getOrSet('k', () => sleep(10_000, 1, { ref: false })),
        cache.set('l', 1),
        cache.delete('m'),
        cache.invalidateTags(['t']),
        cache.getOrSet('n', () => 1),
      ].map((one) => one.catch(() => 'failed'))
      await sleep(10)
      expect(await timed(() => cache.close())).toBeLessThan(2_000)
      expect(await Promise.all(work)).toContain('failed')
    },
  )

  it('close() takes no time at any moment of outages', async () => {
    await using proxy = await startProxy(redis.port)
    const happens: Readonly<Record<number, () => unknown>> = {
      4: () => redis.pause(),
      12: () => redis.resume(),
      16: () => proxy.blackhole(),
      24: () => proxy.heal(),
      28: () => redis.kill(),
      36: () => redis.restart(),
      44: () => (proxy.refuse(), proxy.cut()),
      52: () => proxy.heal(),
    }
    const open: MultiLevelCache[] = []
    const ends: Promise<number>[] = []
    const work: Promise<unknown>[] = []
    const use = (cache: MultiLevelCache, key: string): void => {
      const calls = [
        cache.getOrSet(key, () => sleep(100, 1), { tags: ['t'] }),
        cache.getOrSet('k', () => sleep(10_000, 1, { ref: false })),
        cache.set('l', key),
        cache.invalidateTags(['t']),
      ]
      work.push(...calls.map((call) => call.catch(() => 'failed')))
    }
    for (let moment = 0; moment < 60; moment++) {
      await happens[moment]?.()
      const latest = member(proxy.url, prefix)
      use(latest, `first ${moment}`)
      // One that has just begun, or one that was there before and is at work again.
      if (moment % 3 > 0) open.push(latest)
      const cache = moment % 3 === 0 ? latest : moment > 8 ? open.shift() : undefined
      if (cache !== undefined) {
        use(cache, `last ${moment}`)
        ends.push(timed(() => cache.close()))
      }
      await sleep(50)
    }
    for (const cache of open) ends.push(timed(() => cache.close()))
    expect(Math.max(...(await Promise.all(ends)))).toBeLessThan(2_000)
    await Promise.all(work)
    const admin = client(redis.url)
    const clients = async () =>
      String(await admin.client('LIST'))
        .trim()
        .split('\n').length
    await until(async () => (await clients()) === 1, 10_000, 'connections are left')
  })

  it('a Redis that is not there when the process starts is used once it is', async () => {
    const { port } = redis
    await redis.kill()
    const cache = member(`redis://127.0.0.1:${port}`, prefix)
    let loads = 0
    const load = (): number => ++loads
    expect(await cache.getOrSet('k', load, { tags: ['t'] })).toBe(1)
    expect(await cache.getOrSet('k', load, { tags: ['t'] })).toBe(1)
    await cache.invalidateTags(['t'])
    expect(await cache.getOrSet('k', load, { tags: ['t'] })).toBe(2)
    redis = await startRedis({ port })
    const other = member(redis.url, prefix)
    await until(async () => {
      const key = randomUUID()
      await cache.set(key, 1)
      return (await other.get(key)) === 1
    }, 5_000)
  })

  it('a full Redis: reads go on, writes are not kept and do not hurt', async () => {
    const cache = member(redis.url, prefix)
    await warm(cache)
    const admin = client(redis.url)
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.config('SET', 'maxmemory', '1')
    expect(await cache.getOrSet('new', () => 'loaded')).toBe('loaded')
    expect(await cache.getOrSet('warm 1', () => -1)).toBe(1)
    await cache.set('warm 1', 'changed')
    expect(await cache.getOrSet('warm 1', () => 'from the origin')).toBe('from the origin')
    // Making room always works.
    expect(await cache.delete('warm 2')).toBe(true)
    expect(await member(redis.url, prefix).get('warm 2')).toBeUndefined()
    await admin.config('SET', 'maxmemory', '0')
    await until(async () => {
      await cache.set('again', 1)
      return (await admin.exists(`${prefix}e|again`)) === 1
    })
  })
})

describe('fault 4: writes that were reported as failed', { timeout: 30_000 }, () => {
  it('held back on the way, they are not done when they arrive', async () => {
    await using proxy = await startProxy(redis.port)
    const far = member(proxy.url, prefix)
    const near = member(redis.url, prefix)
    await far.set('k', 'first')
    for (let round = 0; round < 5; round++) {
      const errors: unknown[] = []
      const stop = far.on('error', ({ error }) => errors.push(error))
      proxy.blackhole()
      await far.set('k', `zombie ${round}`)
      expect(errors).not.toEqual([])
      stop()
      await near.set('k', `new ${round}`)
      // What was sent lies on the way; after this it arrives.
      proxy.heal()
      await sleep(100)
      expect(await near.get('k')).not.toBe(`zombie ${round}`)
      await until(async () => (await near.getOrSet('k', () => 'loaded')) !== `zombie ${round}`)
      await until(async () => {
        await far.set('probe', round)
        return (await near.get('probe')) === round
      })
    }
  })

  it('are given as long as the cache waits, and no longer', async () => {
    await using proxy = await startProxy(redis.port)
    const far = member(proxy.url, prefix, { timeouts: { store: '1s' } })
    const near = member(redis.url, prefix, patient)
    await far.set('k', 'first')
    expect(await near.get('k')).toBe('first')
    const errors: unknown[] = []
    far.on('error', ({ error }) => errors.push(error))
    proxy.delay(500, 0)
    await far.set('k', 'slow')
    expect(errors).toEqual([])
    await until(async () => (await near.get('k')) === 'slow')
    proxy.delay(1_200, 0)
    await far.set('k', 'zombie')
    expect(errors).not.toEqual([])
    await near.set('k', 'new')
    await sleep(500)
    expect(await near.getOrSet('k', () => 'loaded')).not.toBe('zombie')
    const slow = redisStore({ url: redis.url, timeout: '1s' })
    expect(() => new MultiLevelCache({ tiers: [memoryStore(), slow] })).toThrow(
      'timeout (1000 ms) must not exceed the 200 ms after which a call is given up (timeouts.store)',
    )
    await slow.close()
  })

  it('held up by a tier in front of the one that decides, they are not done when they arrive', async () => {
    await using front = await startRedis()
    await using toFront = await startProxy(front.port)
    await using toBase = await startProxy(redis.port)
    const timeout = 600
    const open = (url: string) => redisStore({ url, prefix })
    await using far = new MultiLevelCache({
      tiers: [memoryStore(), open(toFront.url), open(toBase.url)],
      timeouts: { store: timeout },
    })
    const near = member(redis.url, prefix)
    await far.set('k', 'first')
    const errors: unknown[] = []
    far.on('error', ({ error }) => errors.push(error))
    toFront.delay(timeout - 100, 0)
    toBase.delay(200, 0)
    await far.set('k', 'zombie')
    expect(errors).not.toEqual([])
    await near.set('k', 'new')
    await sleep(timeout)
    expect(await near.getOrSet('k', () => 'loaded')).not.toBe('zombie')
  })

  it('made while the connection is cut, they are not done when it is back', async () => {
    await using proxy = await startProxy(redis.port)
    const far = member(proxy.url, prefix)
    const near = member(redis.url, prefix)
    await far.set('k', 'first')
    proxy.cut()
    const zombies = Array.from({ length: 10 }, (_, i) => far.set('k', `zombie ${i}`))
    await Promise.all(zombies)
    await near.set('k', 'new')
    await sleep(500)
    expect(await near.getOrSet('k', () => 'loaded')).not.toMatch(/zombie/)
  })

  it('a change that was acknowledged while Redis was away reaches the others when it is back', async () => {
    await using proxy = await startProxy(redis.port)
    const far = member(proxy.url, prefix)
    const near = member(redis.url, prefix)
    await near.set('k', 'old')
    await near.set('l', 'old', { tags: ['t'] })
    proxy.blackhole()
    await far.delete('k')
    await far.invalidateTags(['t'])
    expect(await near.get('k')).toBe('old')
    proxy.heal()
    await until(async () => (await near.get('k')) === undefined, 5_000, 'the deletion did not arrive')
    await until(async () => (await near.get('l')) === undefined, 5_000, 'the invalidation did not arrive')
  })
})
