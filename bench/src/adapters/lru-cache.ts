import { LRUCache } from 'lru-cache'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Its own way to load what is missing. What everyone else is compared with. */
export const fetching: Contestant = {
  label: 'lru-cache, `fetch()`',
  packages: ['lru-cache'],
  open({ capacity, load }: Setup) {
    const cache = new LRUCache<string, {}>({
      max: capacity,
      ttl,
      fetchMethod: load,
    })
    return {
      read: (key) => cache.fetch(key),
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value as {}),
    }
  },
}

/** By hand, and without protection from a stampede: the floor of what an awaited hit can cost. */
export const getting: Contestant = {
  label: 'lru-cache, `get()` awaited',
  packages: ['lru-cache'],
  open({ capacity, load }: Setup) {
    const cache = new LRUCache<string, {}>({ max: capacity, ttl })
    const fill = async (key: string): Promise<unknown> => {
      const value = await load(key)
      cache.set(key, value as {})
      return value
    }
    return {
      read: (key) => cache.get(key) ?? fill(key),
      get: (key) => Promise.resolve(cache.get(key)),
      set: (key, value) => Promise.resolve(cache.set(key, value as {})),
    }
  },
}
