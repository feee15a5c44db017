import type { Cache } from '@flow-cache/core'
import { InMemoryCache, memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { Problem } from './problem.js'

/** How much memory holds: an index is one entry, and so are the sections of a file. */
const maxEntries = 5_000

/** A cache in memory, or with a URL one that shares a Redis with other processes. One that does not answer is a {@link Problem}. */
export async function openCache(redis: string | undefined): Promise<Cache> {
  if (redis === undefined) return new InMemoryCache({ maxEntries, ttl: '1d' })
  if (!/^rediss?:\/\/./.test(redis))
    throw new Problem(`--redis needs a URL like redis://127.0.0.1:6379, got "${redis}".`)
  const cache = new MultiLevelCache({
    // An index of a large folder is tens of megabytes.
    tiers: [
      memoryStore({ maxEntries }),
      redisStore({ url: redis, prefix: 'docs-desk:', maxValueBytes: 2 ** 28 }),
    ],
    ttl: '1d',
    timeouts: { store: '10s' },
    leaseTerm: '10s',
  })
  const failed: unknown[] = []
  const stop = cache.on('error', ({ error }) => failed.push(error))
  await cache.get('is there anybody')
  stop()
  if (failed.length === 0) return cache
  await cache.close()
  throw new Problem(`No Redis answers at ${redis}. Start one, or leave --redis out: it is not needed.`)
}
