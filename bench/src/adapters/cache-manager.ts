import { createCache } from 'cache-manager'
import { createKeyv } from 'cacheable'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Over cacheable's memory store, as its README does, handing out the value itself. */
export const cacheManager: Contestant = {
  label: 'cache-manager',
  packages: ['cache-manager', 'cacheable'],
  open({ capacity, load }: Setup) {
    const cache = createCache({ stores: [createKeyv({ ttl, lruSize: capacity, useClone: false })], ttl })
    return {
      read: (key) => cache.wrap(key, () => load(key)),
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      close: () => cache.disconnect(),
    }
  },
}
