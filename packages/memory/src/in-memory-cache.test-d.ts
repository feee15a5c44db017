import type { Cache } from '@flow-cache/core'
import { InMemoryCache, memoryStore } from '@flow-cache/memory'
import { describe, expectTypeOf, it } from 'vitest'

describe('InMemoryCache', () => {
  it('is a Cache, and takes the options of a cache and of its store', () => {
    const cache = new InMemoryCache({ maxEntries: 10, maxBytes: 1e6, ttl: '5m', grace: '1h', copy: 'freeze' })
    expectTypeOf(cache).toExtend<Cache>()
    expectTypeOf(cache.getOrSet('a', () => 1)).toEqualTypeOf<Promise<number>>()
  })

  it('refuses others', () => {
    // @ts-expect-error it makes its own
    void new InMemoryCache({ store: memoryStore() })
    // @ts-expect-error SimpleCache's word
    void new InMemoryCache({ maxSize: 10 })
  })
})
