import { type Clock, createEntry, type Entry, type Store } from '@flow-cache/core'
import { fakeClock, seededRandom } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.js'
import type { MemoryStoreOptions } from './options.js'

describe.each(['lru', 'adaptive'] as const)("memoryStore with policy '%s'", (policy) => {
  const open = (options?: MemoryStoreOptions): Store =>
    memoryStore({ policy, random: seededRandom(1), ...options })

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
    const store = open({ clock, sweepInterval: '1s', ...options })
    const plain = createEntry({ value: 1, createdAt: fake.now(), ttl: 1 })
    const start = fake.now()
    /** An entry that ends so many milliseconds after the start. */
    const endingAfter = (ms: number): Entry => ({
      ...plain,
      staleAt: start + ms,
      tags: undefined,
      version: undefined,
      tier: 0,
      get expiresAt() {
        if (ticks.length > 0) ticks[ticks.length - 1]!++
        return start + ms
      },
    })
    const [soon, never] = [endingAfter(100), endingAfter(Infinity)]
    return { clock: fake, store, ticks, keptAlive, soon, never, endingAfter }
  }

  describe('it sweeps', () => {
    it('expired entries go though nobody asks for them, and the timer with the last', async () => {
      const { store, clock, soon } = setUp()
      for (let i = 0; i < 10; i++) store.set(`${i}`, soon)
      expect(clock.pending).toBe(1)
      await clock.advance(1_000)
      expect(clock.pending).toBe(0)
    })

    it('however many have expired, each tick looks at five hundred', async () => {
      const { store, clock, ticks, soon } = setUp({ maxEntries: 1_000_000 })
      for (let i = 0; i < 200_000; i++) store.set(`${i}`, soon)
      await clock.advance(1_000)
      expect(ticks).toEqual([1_000])
      await clock.advance(5 * 398)
      expect(clock.pending).toBe(1)
      await clock.advance(5)
      expect(clock.pending).toBe(0)
      expect(ticks).toEqual(Array.from({ length: 400 }, () => 1_000))
    })

    it('entries that are used or come meanwhile do not keep it from looking at every other', async () => {
      const { store, clock, soon, endingAfter } = setUp()
      const later = endingAfter(5_000)
      for (let i = 0; i < 5_000; i++) store.set(`${i}`, i % 2 === 0 ? later : soon)
      await clock.advance(1_000)
      for (let tick = 0; tick < 10; tick++) {
        for (let i = 0; i < 5_000; i += 2) store.get(`${i}`)
        for (let i = 0; i < 10; i++) store.set(`new ${tick} ${i}`, later)
        store.delete(`${tick * 500}`)
        await clock.advance(5)
      }
      // All that is left would go by itself now: what has expired is not among it.
      for (let i = 0; i < 5_000; i += 2) store.delete(`${i}`)
      for (let i = 0; i < 100; i++) store.delete(`new ${Math.floor(i / 10)} ${i % 10}`)
      expect(clock.pending).toBe(0)
    })

    it('it rests for the interval, and then until the first entry may have expired', async () => {
      const { store, clock, ticks, endingAfter } = setUp()
      store.set('a', endingAfter(900))
      store.set('b', endingAfter(1_500))
      store.set('c', endingAfter(60_000))
      await clock.advance(999)
      expect(ticks).toHaveLength(0)
      await clock.advance(1)
      expect(ticks).toHaveLength(1)
      await clock.advance(1_000)
      expect(ticks).toHaveLength(2)
      await clock.advance(57_999)
      expect(ticks).toHaveLength(2)
      await clock.advance(1)
      expect(ticks).toHaveLength(3)
      expect(clock.pending).toBe(0)
    })

    it('an entry that ends sooner than all others brings it forward', async () => {
      const { store, clock, ticks, endingAfter } = setUp()
      store.set('a', endingAfter(60_000))
      await clock.advance(10_000)
      store.set('b', endingAfter(10_500))
      expect(clock.pending).toBe(1)
      await clock.advance(1_000)
      expect(ticks).toHaveLength(1)
      await clock.advance(48_999)
      expect(ticks).toHaveLength(1)
      await clock.advance(1)
      expect(clock.pending).toBe(0)
    })

    it('an entry that is replaced behind its back is not forgotten', async () => {
      const { store, clock, never, endingAfter } = setUp()
      for (let i = 0; i < 1_500; i++) store.set(`${i}`, i === 0 ? endingAfter(100) : never)
      await clock.advance(1_000)
      // The sweep is past this key, and has seen nothing that will end.
      store.set('1', endingAfter(1_500))
      await clock.advance(20)
      for (let i = 2; i < 1_500; i++) store.delete(`${i}`)
      expect(clock.pending).toBe(1)
      await clock.advance(1_000)
      expect(clock.pending).toBe(0)
    })

    it('while nothing can end there is no timer', async () => {
      const { store, clock, never } = setUp()
      store.set('a', never)
      expect(clock.pending).toBe(0)
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
      const { store, clock, endingAfter } = setUp()
      for (let i = 0; i < 1_500; i++) store.set(`${i}`, endingAfter(60_000 - i))
      await clock.advance(58_501)
      expect(clock.pending).toBe(1)
      store.close()
      expect(clock.pending).toBe(0)
    })

    it('its timer never keeps the process alive', async () => {
      const { store, clock, keptAlive, soon } = setUp()
      for (let i = 0; i < 2_500; i++) store.set(`${i}`, soon)
      await clock.advance(3_000)
      expect(keptAlive).toEqual([false, false, false, false, false])
    })

    it('an interval of Infinity sets no timer', () => {
      const { store, clock, soon } = setUp({ sweepInterval: Infinity })
      store.set('a', soon)
      expect(clock.pending).toBe(0)
    })
  })
})
