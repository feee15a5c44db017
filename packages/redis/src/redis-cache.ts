import { Cache, cacheOptionNames, type CacheSettings } from '@flow-cache/core'
import type { RedisStoreOptions } from './options.js'
import { storeOptionNames } from './check-options.js'
import { redisStore } from './redis-store.js'

/** What {@link RedisCache} takes: what any cache takes, and where its server is. */
export interface RedisCacheOptions extends CacheSettings, Omit<RedisStoreOptions, 'version'> {}

/**
 * A cache in Redis, shared by every process with the same server and prefix: one load among all of them, and what
 * one changes no other serves any more. Each read asks the server; `MultiLevelCache` puts memory in front.
 */
export class RedisCache extends Cache {
  constructor(options: RedisCacheOptions = {}) {
    const own: Record<string, unknown> = {}
    const settings: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(options)) {
      if (name === 'store') throw new TypeError('RedisCache makes its own store; createCache takes one')
      const isOwn = storeOptionNames.includes(name)
      if (!isOwn && !cacheOptionNames.includes(name)) {
        const known = [...storeOptionNames, ...cacheOptionNames].join(', ')
        throw new TypeError(`unknown option '${name}' in RedisCache; known are ${known}`)
      }
      if (isOwn) own[name] = value
      if (!isOwn || name === 'clock') settings[name] = value
    }
    const store = redisStore(own)
    try {
      super({ ...settings, store })
    } catch (error) {
      // Nobody else can close it.
      void store.close()
      throw error
    }
  }
}
