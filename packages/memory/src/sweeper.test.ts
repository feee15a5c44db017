import { type Clock, createEntry, type Entry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.js'
import type { MemoryStoreOptions } from './options.js'

/** A store of which one sees what each tick of its timer looks at. */
function setUp(options: MemoryStoreOptions = {}) {
  const fake = fakeClock()
  /** For each tick, how many entries it looked at. */
  const ticks: number[] = []
  const keptAlive: boolean[] = []
  const clock: Clock = {
    ...fake,
    coarse: fake.now,
    setTimer(callback, ms, keepAlive) {
      keptAlive.push(keepAlive)
      const tick = (): void => {
        ticks.push(0)
        callback()
      }
      return fake.setTimer(tick, ms, keepAlive)
    },
  }
  const store = memoryStore({ clock, maxEntries: 1_000_000, sweepInterval: '1s', ...options })
  const expiring = (expiresAt: number): Entry => {
    const entry = createEntry({ value: 1, createdAt: fake.now(), ttl: 1 })
    return Object.defineProperty(entry, 'tags', {
      // Asked of what has not expired; the instant, of everything.
      get: () => undefined,
    }) && Object.defineProperty(entry, 'expiresAt', {
      get() {
        if (ticks.length > 0) ticks[ticks.length - 1]! += 1
        return expiresAt
      },
    })
  }
  return { clock: fake, store, ticks, keptAlive, expiring }
}
