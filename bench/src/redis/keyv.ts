import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { Cacheable, createKeyv } from 'cacheable'
import { Keyv } from 'keyv'
import { ttl } from '../contestant.js'
import { nearEntries, type RedisContestant } from './contestant.js'

/** Over node-redis, which pipelines by itself. */
export const cacheable: RedisContestant = {
  label: 'cacheable, memory and Redis',
  packages: ['cacheable', '@keyv/redis'],
  tagged: true,
  open({ url, tags, load }) {
    const cache = new Cacheable({
      primary: createKeyv({ ttl, lruSize: nearEntries, useClone: false }),
      secondary: new KeyvRedis(url),
      ttl,
      ...(tags === undefined ? {} : { tags: true }),
    })
    return {
      read:
        tags === undefined
          ? (key) => cache.getOrSet(key, () => load(key))
          : async (key) => {
              const found = await cache.get(key)
              if (found !== undefined) return found
              const value = await load(key)
              await cache.set(key, value, { tags: [...tags] })
              return value
            },
      get: (key) => cache.get(key),
      getMany: (keys) => cache.getMany([...keys]),
      close: () => cache.disconnect(),
    }
  },
}

export const cacheManager: RedisContestant = {
  label: 'cache-manager over Keyv',
  packages: ['cache-manager', '@keyv/redis', 'keyv'],
  tagged: false,
  open({ url, load }) {
    const cache = createCache({ stores: [new Keyv({ store: new KeyvRedis(url), ttl })], ttl })
    return {
      read: (key) => cache.wrap(key, () => load(key)),
      get: (key) => cache.get(key),
      getMany: (keys) => cache.mget([...keys]),
      close: () => cache.disconnect(),
    }
  },
}
