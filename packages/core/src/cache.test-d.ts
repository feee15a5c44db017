import { describe, expectTypeOf, it } from 'vitest'
import { type Cache, createCache } from './cache.js'
import { doNotCache } from './loader.js'
import type { Store } from './store.js'

declare const cache: Cache
declare const store: Store

interface User {
  readonly name: string
}
declare const user: User

describe('getOrSet', () => {
  it('infers the value from the loader', () => {
    expectTypeOf(cache.getOrSet('k', () => user)).toEqualTypeOf<Promise<User>>()
    expectTypeOf(cache.getOrSet('k', async () => user)).toEqualTypeOf<Promise<User>>()
    expectTypeOf(cache.getOrSet<User>('k', () => doNotCache(user))).toEqualTypeOf<Promise<User>>()
    expectTypeOf(cache.getOrSet<User>('k', ({ previous }) => previous ?? user)).toEqualTypeOf<Promise<User>>()
  })

  it('tells the loader what it needs to know', () => {
    void cache.getOrSet('k', ({ key, signal, previous, options }) => {
      expectTypeOf(key).toEqualTypeOf<string>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(previous!.value).toEqualTypeOf<unknown>()
      options.ttl = '5m'
      // @ts-expect-error a loader cannot change the timeouts
      options.timeouts = {}
      return 1
    })
  })

  it('refuses what is wrong', () => {
    // @ts-expect-error the loader is missing
    void cache.getOrSet('k')
    // @ts-expect-error a key is a string
    void cache.getOrSet(1, () => 1)
    // @ts-expect-error not a duration
    void cache.getOrSet('k', () => 1, { ttl: '5 minutes' })
    // @ts-expect-error not a word for it
    void cache.getOrSet('k', () => 1, { skip: 'all' })
    // @ts-expect-error no such option
    void cache.getOrSet('k', () => 1, { tll: 1 })
    // @ts-expect-error a set does not load
    void cache.set('k', 1, { refreshAhead: 0.5 })
    // @ts-expect-error a cache needs a store
    createCache({ ttl: '5m' })
    // @ts-expect-error no such option
    createCache({ store, maxEntries: 1 })
  })
})

describe('the others', () => {
  it('answer with what they are asked for', () => {
    expectTypeOf(cache.get('k')).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(cache.get<User>('k')).toEqualTypeOf<Promise<User | undefined>>()
    expectTypeOf(cache.getMany<User>(['k'])).toEqualTypeOf<Promise<Map<string, User>>>()
    expectTypeOf(cache.getOrSetMany(['k'], (keys) => keys.map(() => user))).toEqualTypeOf<
      Promise<Map<string, User>>
    >()
    expectTypeOf(cache.getOrSetMany(['k'], async () => new Map([['k', user]]))).toEqualTypeOf<
      Promise<Map<string, User>>
    >()
    // @ts-expect-error one value for each key, not one for all
    void cache.getOrSetMany<User>(['k'], () => user)
  })

  it('wrap keeps the arguments of the function', () => {
    const load = cache.wrap('user', async (id: number, deep?: boolean) => ({ ...user, id, deep }))
    expectTypeOf(load).parameters.toEqualTypeOf<[id: number, deep?: boolean | undefined]>()
    expectTypeOf(load(1)).resolves.toHaveProperty('id')
    expectTypeOf(load.keyFor).parameters.toEqualTypeOf<[id: number, deep?: boolean | undefined]>()
    // @ts-expect-error an id is a number
    void load('1')
  })

  it('a listener is told the event of its name', () => {
    cache.on('staleHit', ({ reason }) =>
      expectTypeOf(reason).toEqualTypeOf<'error' | 'timeout' | 'held-off'>(),
    )
    // @ts-expect-error no such event
    cache.on('hits', () => {})
  })
})
