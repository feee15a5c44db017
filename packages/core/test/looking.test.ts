import { expect, it } from 'vitest'
import { Cache, type Store } from '@flow-cache/core'
import { fakeClock, sharedServer } from '@flow-cache/core/testing'

/** A store that many share, and what it is asked. */
function watched(): { readonly store: Store; readonly asked: () => string; readonly cache: Cache } {
  const clock = fakeClock()
  const server = sharedServer(clock)
  const store = server.connect()
  let asked: string[] = []
  const seen: Store = {
    ...store,
    get: (key) => (asked.push('get'), store.get(key)),
    leases: {
      ...store.leases!,
      acquire: (...args) => (asked.push('acquire'), store.leases!.acquire(...args)),
    },
  }
  const take = (): string => {
    const all = asked.join(' ')
    asked = []
    return all
  }
  return { store, asked: take, cache: new Cache({ store: seen, clock, ttl: '1h' }) }
}

it('looks before it takes a lease, until the store has had nothing of what is asked for', async () => {
  const { asked, cache } = watched()
  await cache.getOrSet('first', () => 1)
  expect(asked()).toBe('get acquire')
  for (let i = 0; i < 100; i++) await cache.getOrSet(`k${i}`, () => i)
  asked()
  await cache.getOrSet('next', () => 1)
  expect(asked()).toBe('acquire')
  await cache.close()
})

it('has the entry from the lease where the store does have it, and looks again from then on', async () => {
  const { asked, cache } = watched()
  for (let i = 0; i < 100; i++) await cache.getOrSet(`k${i}`, () => i)
  asked()
  const loaded: string[] = []
  const read = (i: number): Promise<number> => cache.getOrSet(`k${i}`, () => (loaded.push(`k${i}`), -1))
  expect(await read(7)).toBe(7)
  expect(asked()).toBe('acquire')
  expect(await read(8)).toBe(8)
  expect(asked()).toBe('get')
  expect(loaded).toEqual([])
  expect(cache.stats()).toMatchObject({ hits: 2, misses: 100, loads: 100 })
  await cache.close()
})
