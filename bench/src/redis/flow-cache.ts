import type { Cache, LoadContext } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { ttl } from '../contestant.js'
import { nearEntries, type RedisContestant, type RedisSetup } from './contestant.js'

const packages = [
  '@flow-cache/core',
  '@flow-cache/memory',
  '@flow-cache/multilevel',
  '@flow-cache/redis',
  'ioredis',
]

/** A machine with too much to do is no reason for a miss here. */
const timeouts = { store: '2s' } as const

function contestant(label: string, make: (setup: RedisSetup) => Cache): RedisContestant {
  return {
    label,
    packages,
    tagged: true,
    open(setup) {
      const cache = make(setup)
      const { load, tags } = setup
      const loader = ({ key }: LoadContext): Promise<unknown> => load(key)
      const options = tags === undefined ? undefined : { tags }
      return {
        read: (key) => cache.getOrSet(key, loader, options),
        get: (key) => cache.get(key),
        getMany: (keys) => cache.getMany(keys),
        close: () => cache.close(),
      }
    },
  }
}

/** It pipelines by itself; the choice is not the user's. */
export const redisCache = contestant(
  '**flow-cache** `RedisCache`',
  ({ url }) => new RedisCache({ url, ttl, timeouts }),
)

export const multiLevelCache = contestant(
  '**flow-cache** `MultiLevelCache`',
  ({ url }) =>
    new MultiLevelCache({
      ttl,
      timeouts,
      tiers: [memoryStore({ maxEntries: nearEntries, policy: 'lru' }), redisStore({ url })],
    }),
)
