import { SimpleCache, type SimpleCacheStats } from '@flow-cache/memory'
import { describe, expectTypeOf, it } from 'vitest'

interface User {
  name: string
}

describe('SimpleCache', () => {
  it('answers with its type of value, or undefined, and never with a promise', () => {
    const users = new SimpleCache<User>({ maxSize: 10, ttl: '5m' })
    expectTypeOf(users.get('ada')).toEqualTypeOf<User | undefined>()
    expectTypeOf(users.getOrSet('ada', (key) => ({ name: key }))).toEqualTypeOf<User>()
    expectTypeOf(users.set('ada', { name: 'Ada' }, '1s')).toEqualTypeOf<SimpleCache<User>>()
    expectTypeOf([...users.entries()]).toEqualTypeOf<[key: string, value: User][]>()
    expectTypeOf(users.stats()).toEqualTypeOf<SimpleCacheStats>()
  })

  it('holds anything where nothing is said', () => {
    expectTypeOf(new SimpleCache().get('a')).toEqualTypeOf<unknown>()
  })

  it('refuses other values, keys and options', () => {
    const users = new SimpleCache<User>()
    // @ts-expect-error no user
    users.set('ada', 'Ada')
    // @ts-expect-error no string
    users.get(1)
    // @ts-expect-error a promise is no user
    users.getOrSet('ada', async () => ({ name: 'Ada' }))
    // @ts-expect-error no such option
    void new SimpleCache({ max: 10 })
  })
})
