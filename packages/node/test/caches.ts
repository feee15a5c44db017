import { randomUUID } from 'node:crypto'
import type { Cache } from '@flow-cache/core'
import { InMemoryCache, memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'

/** Every kind of cache that nodes are promised to work on. Calls to the server get time on a busy machine. */
export const caches: Readonly<Record<string, () => Cache>> = {
  memory: () => new InMemoryCache(),
  Redis: () =>
    new RedisCache({
      url: redisUrl(),
      prefix: `${randomUUID()}:`,
      timeouts: { store: '20s' },
      leaseTerm: '60s',
    }),
  'memory over Redis': () =>
    new MultiLevelCache({
      tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix: `${randomUUID()}:` })],
      timeouts: { store: '20s' },
      leaseTerm: '60s',
    }),
}
