import { Cacheable, createKeyv } from 'cacheable'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Hands out the value itself, as the others do, in place of a clone. */
export const cacheable: Contestant = {
  label: 'cacheable',
  packages: ['cacheable'],
  open({ capacity, load }: Setup) {
    const cache = new Cacheable({ primary: createKeyv({ ttl, lruSize: capacity, useClone: false }), ttl })
    return {
      read: (key) => cache.getOrSet(key, () => load(key)),
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      close: () => cache.disconnect(),
    }
  },
}
