import { type Cache, type CacheEntry, cachified as read, totalTtl } from '@epic-web/cachified'
import { LRUCache } from 'lru-cache'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Over lru-cache, as its README does. */
export const cachified: Contestant = {
  label: 'cachified over lru-cache',
  packages: ['@epic-web/cachified', 'lru-cache'],
  open({ capacity, load }: Setup) {
    const lru = new LRUCache<string, CacheEntry>({ max: capacity })
    const cache: Cache = {
      set(key, value) {
        return lru.set(key, value, { ttl: totalTtl(value.metadata) })
      },
      get: (key) => lru.get(key),
      delete: (key) => lru.delete(key),
    }
    return { read: (key) => read({ key, cache, ttl, getFreshValue: () => load(key) }) }
  },
}
