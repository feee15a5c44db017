import { createCache, type Watcher } from '@flow-cache/core'
import { fakeClock, faultyStore, mapStore } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'

function watching(due = false): { watcher: Watcher; seen: unknown[] } {
  const seen: unknown[] = []
  return {
    seen,
    watcher: {
      hits: {
        due: () => due,
        hit: (key, namespace, { tier, value }, began) => seen.push([key, namespace, tier, value, began]),
      },
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

  it('may stand around every loader, once for a `loadMany`, and changes nothing', async () => {
    const cache = createCache({ store: mapStore(fakeClock()) })
    const told: unknown[] = []
    const around =
      (name: string) =>
      <T>(keys: readonly string[], namespace: string, run: () => T): T => {
        told.push([name, ...keys, namespace])
        return run()
      }
    const stop = cache.watch({ around: around('outer') })
    cache.watch({ ...watching().watcher, around: around('inner') })
    cache.watch(watching().watcher)
    const users = cache.namespace('users')
    expect(await users.getOrSet('a', () => 1)).toBe(1)
    expect(await users.getOrSetMany(['a', 'b', 'c'], (keys) => keys.map((key) => key + '!'))).toEqual(
      new Map<string, unknown>([
        ['a', 1],
        ['b', 'b!'],
        ['c', 'c!'],
      ]),
    )
    const down = new Error('down')
    stop()
    await expect(users.getOrSet('d', () => Promise.reject(down))).rejects.toBe(down)
    expect(told).toEqual([
      ['outer', 'a', 'users'],
      ['inner', 'a', 'users'],
      ['outer', 'b', 'c', 'users'],
      ['inner', 'b', 'c', 'users'],
      ['inner', 'd', 'users'],
    ])
  })
})

describe('what metrics need to know', () => {
  it('is told of keys that the origin does not have', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock })
    const told: unknown[] = []
    for (const name of ['load', 'absent', 'loadError'] as const)
      cache.on(name, (event) => told.push([name, event]))
    await cache.getOrSetMany(['a', 'b'], () => new Map([['a', 1]]))
    const times = { namespace: '', ms: 0, background: false }
    expect(told).toEqual([
      ['load', { key: 'a', ...times }],
      ['absent', { key: 'b', ...times }],
    ])
    expect(cache.stats()).toMatchObject({ loads: 2, loadErrors: 0 })
  })

  it('names the tiers, and the entries the first of them holds', () => {
    expect(createCache({ store: mapStore(fakeClock()) }).tiers).toEqual(['map'])
    expect(
      createCache({ store: { ...mapStore(fakeClock()), tiers: ['near', 'far'], maxEntries: 7 } }),
    ).toMatchObject({
      tiers: ['near', 'far'],
      maxEntries: 7,
    })
  })
})
