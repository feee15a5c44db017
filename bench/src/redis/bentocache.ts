import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { ttl } from '../contestant.js'
import { nearEntries, type RedisContestant } from './contestant.js'

function contestant(label: string, near: boolean): RedisContestant {
  return {
    label,
    packages: ['bentocache', 'ioredis'],
    tagged: true,
    open({ url, pipelined, tags, load }) {
      const connection = new Redis(url, { enableAutoPipelining: pipelined })
      // It declares ioredis 5, and calls nothing that 6 has changed.
      const far = redisDriver({ connection })
      const store = near
        ? bentostore()
            .useL1Layer(memoryDriver({ maxItems: nearEntries, serialize: false }))
            .useL2Layer(far)
        : bentostore().useL2Layer(far)
      const cache = new BentoCache({ default: 'redis', ttl, stores: { redis: store } })
      const more = tags === undefined ? {} : { tags: [...tags] }
      return {
        read: (key) => cache.getOrSet({ key, factory: () => load(key), ...more }),
        get: (key) => cache.get({ key }),
        close: () => cache.disconnectAll(),
      }
    },
  }
}

export const far = contestant('BentoCache, Redis alone', false)
export const nearAndFar = contestant('BentoCache, memory and Redis', true)
