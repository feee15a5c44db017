import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { type Contestant, type Setup, ttl } from '../contestant.js'

/** Memory only, handing out the value itself, as the others do, in place of one parsed from JSON. */
export const bentocache: Contestant = {
  label: 'BentoCache',
  packages: ['bentocache'],
  open({ capacity, load }: Setup) {
    const memory = bentostore().useL1Layer(memoryDriver({ maxItems: capacity, serialize: false }))
    const cache = new BentoCache({ default: 'memory', ttl, stores: { memory } })
    return {
      read: (key) => cache.getOrSet({ key, factory: () => load(key) }),
      get: (key) => cache.get({ key }),
      set: (key, value) => cache.set({ key, value }),
      close: () => cache.disconnectAll(),
    }
  },
}
