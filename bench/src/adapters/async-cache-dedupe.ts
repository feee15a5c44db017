import { createCache } from 'async-cache-dedupe'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Wraps a function; there is no way to set a value from outside. Its ttl is in seconds. */
export const asyncCacheDedupe: Contestant = {
  label: 'async-cache-dedupe',
  packages: ['async-cache-dedupe'],
  open({ capacity, load }: Setup) {
    const cache = createCache({
      ttl: ttl / 1000,
      storage: { type: 'memory', options: { size: capacity } },
    }).define('read', load)
    return { read: (key) => cache.read(key) }
  },
}
