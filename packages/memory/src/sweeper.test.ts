import { type Clock, createEntry, type Entry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.js'
import type { MemoryStoreOptions } from './options.js'

/** A store of which one sees what each tick of its timer looks at. */
function setUp(options: MemoryStoreOptions = {}) {
  const fake = fakeClock()
  /** For each tick, how often it asked an entry for its end: once, and again if that is near or past. */
  const ticks: number[] = []
  const keptAlive: boolean[] = []
  const clock: Clock = {
    ...fake,
    setTimer(callback, ms, keepAlive) {
      keptAlive.push(keepAlive)
      const tick = (): void => {
        ticks.push(0)
        callback()
      }
      return fake.setTimer(tick, ms, keepAlive)
    },
  }
  const store = memoryStore({ clock, sweepInterval: '1s', ...options })
  const plain = createEntry({ value: 1, createdAt: fake.now(), ttl: 1 })
  const endingAt = (expiresAt: number): Entry => ({
    ...plain,
    staleAt: expiresAt,
    tags: undefined,
    version: undefined,
    tier: 0,
    get expiresAt() {
      if (ticks.length > 0) ticks[ticks.length - 1]!++
      return expiresAt
    },
  })
  return { clock: fake, store, ticks, keptAlive, soon: endingAt(fake.now() + 100), never: endingAt(Infinity) }
}

describe('memoryStore sweeps', () => {
  it('expired entries go though nobody asks for them, and the timer with the last', async () => {
    const { store, clock, soon } = setUp()
    for (let i = 0; i < 10; i++) store.set(`${i}`, soon)
    expect(clock.pending).toBe(1)
    await clock.advance(1_000)
    expect(clock.pending).toBe(0)
  })

  it('however many have expired, each tick looks at a thousand', async () => {
    const { store, clock, ticks, soon } = setUp({ maxEntries: 1_000_000 })
    for (let i = 0; i < 200_000; i++) store.set(`${i}`, soon)
    await clock.advance(1_000)
    expect(ticks).toEqual([2_000])
    await clock.advance(10 * 198)
    expect(clock.pending).toBe(1)
    await clock.advance(10)
    expect(clock.pending).toBe(0)
    expect(ticks).toEqual(Array.from({ length: 200 }, () => 2_000))
  })

  it('entries that are used or come meanwhile do not keep it from looking at every other', async () => {
    const { store, clock, ticks, soon, never } = setUp()
    for (let i = 0; i < 5_000; i++) store.set(`${i}`, i % 2 === 0 ? never : soon)
    await clock.advance(1_000)
    for (let tick = 0; tick < 5; tick++) {
      for (let i = 0; i < 5_000; i += 2) store.get(`${i}`)
      for (let i = 0; i < 10; i++) store.set(`new ${tick} ${i}`, never)
      store.delete(`${tick * 1_000}`)
      await clock.advance(10)
    }
    ticks.length = 0
    await clock.advance(1_000)
    await clock.advance(100)
    expect(ticks.reduce((sum, looks) => sum + looks)).toBe(2_500 - 5 + 50)
  })

  it('it looks again an interval after it has looked at everything, and leaves what lives', async () => {
    const { store, clock, ticks, never } = setUp()
    for (let i = 0; i < 1_500; i++) store.set(`${i}`, never)
    await clock.advance(999)
    expect(ticks).toEqual([])
    await clock.advance(1)
    expect(ticks).toEqual([1_000])
    await clock.advance(10)
    expect(ticks).toEqual([1_000, 500])
    await clock.advance(999)
    expect(ticks).toEqual([1_000, 500])
    await clock.advance(1)
    expect(ticks).toEqual([1_000, 500, 1_000])
    expect(store.get('0')).toBe(never)
  })

  it('entries of invalidated tags go; those whose tags are not known yet stay', async () => {
    const { store, clock } = setUp()
    const put = (key: string, tag: { name: string; version: string; alive?: boolean }): unknown =>
      store.set(key, createEntry({ value: key, createdAt: clock.now(), ttl: Infinity, tags: [tag] }))
    const tag = { name: 'a', version: '1', alive: true }
    put('a', tag)
    put('b', { name: 'b', version: '1', alive: true })
    put('c', { name: 'c', version: '1' })
    await clock.advance(1_000)
    expect(store.get('a')).toBeDefined()
    tag.alive = false
    await clock.advance(1_000)
    expect(store.get('a')).toBeUndefined()
    expect(store.get('b')).toBeDefined()
    expect(store.get('c')).toBeDefined()
  })

  it.each<[how: string, (store: ReturnType<typeof setUp>) => unknown]>([
    ['deleted', ({ store }) => store.delete('a')],
    ['cleared', ({ store }) => store.clear()],
    ['cleared by its prefix', ({ store }) => store.clear('a')],
    ['replaced by one that has expired', ({ store, soon }) => store.set('a', { ...soon, expiresAt: 0 })],
    ['found to have expired', ({ store, clock }) => clock.advance(100).then(() => store.get('a'))],
    ['closed away', ({ store }) => store.close()],
  ])('no timer is left when the last entry is %s', async (_how, end) => {
    const parts = setUp()
    parts.store.set('a', parts.soon)
    expect(parts.clock.pending).toBe(1)
    await end(parts)
    expect(parts.clock.pending).toBe(0)
  })

  it('no timer is left when it is closed in the middle of a sweep', async () => {
    const { store, clock, never } = setUp()
    for (let i = 0; i < 1_500; i++) store.set(`${i}`, never)
    await clock.advance(1_000)
    store.close()
    expect(clock.pending).toBe(0)
  })

  it('its timer never keeps the process alive', async () => {
    const { store, clock, keptAlive, never } = setUp()
    for (let i = 0; i < 1_500; i++) store.set(`${i}`, never)
    await clock.advance(3_000)
    expect(keptAlive).toEqual(keptAlive.map(() => false))
    expect(keptAlive.length).toBeGreaterThan(3)
  })

  it('an interval of Infinity sets no timer', () => {
    const { store, clock, soon } = setUp({ sweepInterval: Infinity })
    store.set('a', soon)
    expect(clock.pending).toBe(0)
  })
})
