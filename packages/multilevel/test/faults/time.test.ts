import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { client, member, pair, until } from '../fleet.js'

/** A clock that is wrong by so many milliseconds. */
const wrong = (offset: number): Clock => ({
  now: () => systemClock.now() + offset,
  setTimer: (callback, ms, keepAlive) => systemClock.setTimer(callback, ms, keepAlive),
  clearTimer: (timer) => systemClock.clearTimer(timer),
})

function skewed(prefix: string, offset: number, options: object = {}): MultiLevelCache {
  const clock = wrong(offset)
  const tiers = [memoryStore({ clock }), redisStore({ url: redisUrl(), prefix, clock })]
  const cache = new MultiLevelCache({ tiers, clock, ttl: '1h', ...options })
  onTestFinished(() => cache.close())
  return cache
}

const minutes = 60_000

describe('fault 14: time', { timeout: 30_000 }, () => {
  it('processes whose clocks differ by ten minutes agree on what is newest, and on its end', async () => {
    const prefix = `${randomUUID()}:`
    const ahead = skewed(prefix, 5 * minutes)
    const behind = skewed(prefix, -5 * minutes)
    for (const [first, second] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      await first.set('k', 'old')
      await second.set('k', 'new')
      await until(async () => (await first.get('k')) === 'new')
      expect(await second.get('k')).toBe('new')
      await first.set('short', 1, { ttl: 400 })
      const { ttlMs, ageMs } = (await second.getEntry('short'))!
      expect(ttlMs).toBeGreaterThan(100)
      expect(ttlMs).toBeLessThan(600)
      expect(Math.abs(ageMs)).toBeLessThan(300)
      await sleep(450)
      expect(await second.get('short')).toBeUndefined()
      expect(await first.get('short')).toBeUndefined()
    }
  })

  it('one load among them, and a lease of one is a lease to the other', async () => {
    const prefix = `${randomUUID()}:`
    const caches = [5, 0, -5].map((offset) => skewed(prefix, offset * minutes))
    let loads = 0
    const load = () => sleep(100, ++loads)
    const values = await Promise.all(
      caches.flatMap((cache) => [cache.getOrSet('k', load), cache.getOrSet('k', load)]),
    )
    expect(values).toEqual(values.map(() => 1))
  })

  it('an entry with a second to go has no more of it in memory', async () => {
    const { a, b } = pair(redisUrl())
    await a.set('k', 1, { ttl: 300 })
    await sleep(200)
    expect(await b.get('k')).toBe(1)
    expect(b.peek('k')).toBe(1)
    await sleep(150)
    expect(b.peek('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
  })

  it('memory asks again after its own time, and the value does not grow younger', async () => {
    const prefix = `${randomUUID()}:`
    const tiers = [{ store: memoryStore(), ttl: 50 }, redisStore({ url: redisUrl(), prefix })]
    await using cache = new MultiLevelCache({ tiers, ttl: '1h' })
    const other = member(redisUrl(), prefix)
    await cache.set('k', 1)
    expect(cache.peek('k')).toBe(1)
    await sleep(60)
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 2)).toBe(1)
    expect(cache.peek('k')).toBe(1)
    expect((await other.getEntry('k'))!.ageMs).toBeGreaterThan(55)
    expect((await cache.getEntry('k'))!.ageMs).toBeGreaterThan(55)
  })

  it('a time to live that somebody changed by hand in Redis ends the entry there', async () => {
    const { a, b, prefix } = pair(redisUrl())
    await a.set('k', 1)
    await client(redisUrl()).pexpire(`${prefix}e|k`, 1)
    await sleep(5)
    expect(await b.get('k')).toBeUndefined()
  })

  it.each([
    ['30 days', 30 * 24 * 60 * minutes],
    ['for ever', Infinity],
  ])('a ttl of %s', async (_, ttl) => {
    const { a, b } = pair(redisUrl(), { near: Infinity })
    await a.set('k', 1, { ttl, grace: '1h' })
    expect(await b.get('k')).toBe(1)
    expect((await b.getEntry('k'))!.ttlMs).toBeGreaterThan(ttl === Infinity ? 1e15 : ttl - 5_000)
  })

  it('ten thousand keys warmed together do not end together, if told so', async () => {
    const { a, b } = pair(redisUrl(), { jitter: 0.5, ttl: '1h', near: Infinity })
    const keys = Array.from({ length: 10_000 }, (_, i) => `k${i}`)
    await a.setMany(keys.map((key) => [key, 1]))
    const ends: number[] = []
    await b.getMany(keys)
    for (const key of keys) ends.push((await b.getEntry(key))!.ttlMs)
    const mean = ends.reduce((sum, ms) => sum + ms, 0) / ends.length
    const deviation = Math.sqrt(ends.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / ends.length)
    // Even over half of the ttl: a twelfth's root of it.
    expect(deviation / mean).toBeGreaterThan(0.15)
  })
})
