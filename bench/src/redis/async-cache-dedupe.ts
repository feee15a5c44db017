import { createCache } from 'async-cache-dedupe'
import { Redis } from 'ioredis'
import { ttl } from '../contestant.js'
import type { RedisContestant } from './contestant.js'

export const asyncCacheDedupe: RedisContestant = {
  label: 'async-cache-dedupe',
  packages: ['async-cache-dedupe', 'ioredis'],
  tagged: true,
  open({ url, pipelined, tags, load }) {
    const client = new Redis(url, { enableAutoPipelining: pipelined })
    const invalidation = tags === undefined ? false : { referencesTTL: ttl / 1000 }
    const cache = createCache({
      ttl: ttl / 1000,
      storage: { type: 'redis', options: { client, invalidation } },
    }).define('read', tags === undefined ? {} : { references: () => [...tags] }, load)
    return { read: (key) => cache.read(key), close: () => client.disconnect() }
  },
}
