import { createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, gate, mapStore, seededRandom, settle } from '@flow-cache/core/testing'
import { RefreshAhead, type RefreshAheadOptions } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'
import { table } from '../test/table.js'

function setUp(options: Partial<RefreshAheadOptions<string>> = {}) {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, ttl: 1_000 })
  const origin = table({ a: '1' })
  const ahead = new RefreshAhead({ cache, origin, clock, spread: 0, random: seededRandom(1), ...options })
  return { clock, cache, origin, ahead }
}

function setUpFar() {
  const clock = fakeClock()
  const far = faultyStore(mapStore(clock))
  const cache = createCache({ store: far, clock, ttl: 1_000 })
  const origin = table({ a: '1' })
  return { clock, far, origin, ahead: new RefreshAhead({ cache, origin, clock, spread: 0 }) }
}

describe('RefreshAhead', () => {
  it('loads a key in use anew before it ends, so that no reader waits', async () => {
    const { clock, cache, origin, ahead } = setUp()
    await ahead.get('a')
    for (let second = 0; second < 5; second++) {
      await ahead.get('a')
      origin.rows.set('a', `after ${second}`)
      await clock.advance(800)
      expect(cache.peek('a') ?? (await cache.get('a'))).toBe(`after ${second}`)
    }
    expect(origin.asked).toHaveLength(6)
    expect(cache.stats().misses).toBe(6)
    await ahead.close()
  })

  it('lets a key go that nobody has read since its last refresh', async () => {
    const { clock, cache, origin, ahead } = setUp()
    await ahead.get('a')
    await ahead.get('a')
    await clock.advance(10_000)
    expect([origin.asked.length, ahead.size, clock.pending]).toEqual([2, 0, 0])
    expect(await cache.has('a')).toBe(false)
  })

  it('leaves the entry where a refresh fails, and tries again half-way to its end', async () => {
    const { clock, cache, origin, ahead } = setUp()
    const errors: unknown[] = []
    cache.on('loadError', ({ error }) => errors.push(error))
    await ahead.get('a')
    await ahead.get('a')
    origin.before = () => {
      throw new Error('down')
    }
    await clock.advance(850)
    expect([await cache.get('a'), errors.length]).toEqual(['1', 1])
    origin.before = () => {}
    origin.rows.set('a', '2')
    await clock.advance(100)
    expect(await cache.get('a')).toBe('2')
    await ahead.close()
  })

  it('gives up on an origin that stays down, and begins anew with the next read', async () => {
    const { clock, origin, ahead } = setUp()
    await ahead.get('a')
    await ahead.get('a')
    origin.before = () => {
      throw new Error('down')
    }
    await clock.advance(60_000)
    expect([ahead.size, clock.pending]).toEqual([0, 0])
    expect(origin.asked.length).toBeLessThan(8)
    await expect(ahead.get('a')).rejects.toThrow('down')
    origin.before = () => {}
    expect([await ahead.get('a'), ahead.size]).toEqual(['1', 1])
    await ahead.close()
  })

  it('refreshes no more keys at once than concurrency says', async () => {
    const { clock, origin, ahead } = setUp({ concurrency: 2 })
    const keys = Array.from({ length: 10 }, (_, i) => `key ${i}`)
    for (const key of [...keys, ...keys]) await ahead.get(key)
    const hold = gate()
    let [now, most] = [0, 0]
    origin.before = async () => {
      most = Math.max(most, ++now)
      await hold.wait()
      now--
    }
    await clock.advance(900)
    expect(now).toBe(2)
    hold.open()
    await settle(2_000)
    expect([most, origin.asked.length]).toEqual([2, 20])
    await ahead.close()
  })

  it('spreads the refreshes of keys that were loaded together', async () => {
    const { clock, origin, ahead } = setUp({ spread: 0.5, concurrency: Infinity })
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    for (const key of [...keys, ...keys]) await ahead.get(key)
    const counts: number[] = []
    for (let part = 0; part < 4; part++) {
      origin.asked.length = 0
      await clock.advance(part === 0 ? 500 : 100)
      counts.push(origin.asked.length)
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(100)
    expect(Math.max(...counts)).toBeLessThan(50)
    await ahead.close()
  })

  it('keeps no more than maxKeys fresh, and lets the one go that was refreshed longest ago', async () => {
    const { clock, origin, ahead } = setUp({ maxKeys: 2 })
    for (const key of ['a', 'b', 'c', 'a', 'b', 'c']) await ahead.get(key)
    await settle()
    expect([ahead.size, clock.pending]).toEqual([2, 2])
    origin.asked.length = 0
    await clock.advance(900)
    expect(origin.asked.length).toBeLessThanOrEqual(2)
    await ahead.close()
  })

  it('answers with the entry while a refresh takes long, also where the store is far away', async () => {
    const { clock, origin, ahead, far } = setUpFar()
    await ahead.get('a')
    await ahead.get('a')
    const hold = gate()
    origin.before = () => hold.wait()
    origin.rows.set('a', '2')
    await clock.advance(850)
    await hold.arrived
    expect(await ahead.get('a')).toBe('1')
    hold.open()
    await settle()
    expect([await ahead.get('a'), far.local]).toEqual(['2', undefined])
    await ahead.close()
  })

  it('does not refresh what another process has refreshed', async () => {
    const { clock, cache, origin, ahead } = setUp()
    await ahead.get('a')
    await ahead.get('a')
    await clock.advance(500)
    await cache.set('a', 'from elsewhere')
    await clock.advance(400)
    expect([origin.asked.length, await cache.get('a')]).toEqual([1, 'from elsewhere'])
    await clock.advance(400)
    expect(origin.asked).toHaveLength(2)
    await ahead.close()
  })

  it('has nothing to do for what never ends, is not kept, or was deleted', async () => {
    for (const ttl of [Infinity, 0]) {
      const { clock, ahead } = setUp({ ttl })
      await ahead.get('a')
      await settle()
      expect([ahead.size, clock.pending]).toEqual([0, 0])
    }
    const { clock, cache, ahead } = setUp()
    await ahead.get('a')
    expect([await ahead.delete('a'), await cache.has('a'), ahead.size, clock.pending]).toEqual([
      true,
      false,
      0,
      0,
    ])
  })

  it('holds no timer and begins nothing after close, also when closed during a refresh', async () => {
    const { clock, cache, origin, ahead } = setUp()
    await ahead.get('a')
    await ahead.get('a')
    const hold = gate()
    let aborted: AbortSignal | undefined
    origin.read = async (_key, { signal }) => {
      aborted = signal
      await hold.wait()
      return 'late'
    }
    const due = clock.advance(800)
    await hold.arrived
    await due
    await ahead.close()
    await settle()
    expect([aborted?.aborted, clock.pending]).toEqual([true, 0])
    hold.open()
    await settle()
    expect(await cache.get('a')).toBe('1')
    await ahead.get('b')
    expect([ahead.size, clock.pending]).toEqual([0, 0])
    await ahead.close()
  })

  it('stops by itself when the cache is closed', async () => {
    const { clock, cache, ahead } = setUp()
    await ahead.get('a')
    await ahead.get('a')
    await cache.close()
    await clock.advance(5_000)
    expect([ahead.size, clock.pending]).toEqual([0, 0])
  })

  it('refuses options out of range, and those it stands in for', () => {
    expect(() => setUp({ factor: 1 })).toThrow(/factor/)
    expect(() => setUp({ spread: 1 })).toThrow(/spread/)
    expect(() => setUp({ concurrency: 0 })).toThrow(/concurrency/)
    expect(() => setUp({ maxKeys: 1.5 })).toThrow(/maxKeys/)
    expect(() => setUp({ beta: 1 } as never)).toThrow(/factor in place of beta/)
  })
})
