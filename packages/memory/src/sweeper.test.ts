import { type Clock, createEntry, type Entry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.js'
import type { MemoryStoreOptions } from './options.js'

/** A store whose sweeps can be watched: how many entries each tick of its timer looks at. */
function setUp(options: MemoryStoreOptions = {}) {
  const fake = fakeClock()
  /** One number a tick: the entries that were looked at. */
  const ticks: number[] = []
  let keptAlive = false
  const clock: Clock = {
    ...fake,
    setTimer(callback, ms, keepAlive) {
      keptAlive ||= keepAlive
      const tick = (): void => {
        ticks.push(0)
        callback()
      }
      return fake.setTimer(tick, ms, keepAlive)
    },
  }
  const store = memoryStore({ clock, maxEntries: 1_000_000, sweepInterval: '1s', ...options })
  const watched = (expiresAt: number): Entry => ({
    ...createEntry({ value: 1, createdAt: 0, ttl: 1 }),
    tier: 0,
    tags: undefined,
    staleAt: expiresAt,
    get expiresAt() {
      ticks[ticks.length - 1]!++
      return expiresAt
    },
  })
  return {
    clock: fake,
    store,
    ticks,
    soon: () => watched(fake.now() + 100),
    late: () => watched(Infinity),
    isKeptAlive: () => keptAlive,
  }
}

describe('memoryStore sweeps', () => {
  it('expired entries that nobody asks for go, and with the last one the timer', async () => {
    const { store, clock, soon } = setUp()
    for (let i = 0; i < 10; i++) store.set(`${i}`, soon())
    expect(clock.pending).toBe(1)
    await clock.advance(1_000)
    expect(clock.pending).toBe(0)
    store.set('a', soon())
    expect(clock.pending).toBe(1)
  })

  it('a million expired entries go a thousand a tick', async () => {
    const { store, clock, ticks, soon } = setUp()
    const entry = soon()
    ticks.push(0)
    for (let i = 0; i < 1_000_000; i++) store.set(`${i}`, entry)
    ticks.length = 0
    await clock.advance(1_000)
    expect(ticks).toHaveLength(1)
    for (let i = 0; i < 100; i++) await clock.advance(10)
    expect(ticks).toHaveLength(101)
    store.close()
    expect(clock.pending).toBe(0)
    // Each entry is asked twice, by the coarse look and by the exact one.
    expect(Math.max(...ticks)).toBe(2_000)
  })
})
