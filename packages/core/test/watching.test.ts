import { createCache, type Watcher } from '@flow-cache/core'
import { fakeClock, faultyStore, mapStore } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'

function watching(due = false): { watcher: Watcher; seen: unknown[] } {
  const seen: unknown[] = []
  return {
    seen,
    watcher: {
      due: () => due,
      hit: (key, namespace, { tier, value }, began) => seen.push([key, namespace, tier, value, began]),
    },
  }
}

describe('a watcher', () => {
  it('sees every fresh answer, of every kind of read, and no other', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    const { watcher, seen } = watching()
    const stop = cache.watch(watcher)
    const users = cache.namespace('users')
    await users.getOrSet('a', () => 1)
    await users.get('b')
    expect(seen).toEqual([])
    await users.getOrSet('a', () => 2)
    await users.getOrSet('a', () => 2, { tags: ['t'] })
    await users.get('a')
    await users.has('a')
    await users.getEntry('a')
    await users.getMany(['a', 'b'])
    await users.getOrSetMany(['a'], () => [3])
    expect(seen).toEqual(Array.from({ length: 7 }, () => ['a', 'users', 0, 1, 0]))
    expect(cache.stats().hits).toBe(7)
    stop()
    await users.get('a')
    expect(seen).toHaveLength(7)
  })

  it('is told when a call began, where it wants that', async () => {
    const clock = fakeClock()
    const slow = faultyStore(mapStore(clock))
    const cache = createCache({ store: slow, clock })
    await cache.set('k', 1)
    const { watcher, seen } = watching(true)
    cache.watch(watcher)
    const began = clock.now()
    slow.fail('lag', async () => clock.advance(50))
    await cache.get('k')
    expect(clock.now()).toBe(began + 50)
    expect(seen).toEqual([['k', '', 0, 1, began]])
  })

  it('may have others beside it', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    const [one, two] = [watching(), watching(true)]
    const stops = [one, two].map(({ watcher }) => cache.watch(watcher))
    await cache.set('k', 1)
    await cache.get('k')
    stops[0]!()
    await cache.get('k')
    expect([one.seen.length, two.seen.length]).toEqual([1, 2])
  })
})
