import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Duration } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache, type MultiLevelCacheOptions } from '@flow-cache/multilevel'
import { redisStore, type RedisStoreOptions } from '@flow-cache/redis'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'

/** What one cache of a fleet is made with; the rest is a multi-level cache's defaults. */
export interface MemberOptions extends Partial<MultiLevelCacheOptions> {
  readonly redis?: RedisStoreOptions
  /** How long memory answers by itself. */
  readonly near?: Duration
}

/** A cache as one process has it: its own memory and its own connections. Closed with the test. */
export function member(
  url: string,
  prefix: string,
  { redis, near, ...options }: MemberOptions = {},
): MultiLevelCache {
  const cache = new MultiLevelCache({
    tiers: [{ store: memoryStore(), ttl: near }, redisStore({ url, prefix, ...redis })],
    ttl: '1h',
    ...options,
  })
  onTestFinished(() => cache.close())
  return cache
}

/** Time enough for every call on a busy machine. */
export const patient: MemberOptions = {
  leaseTerm: '20s',
  timeouts: { store: '10s' },
}

/** Two processes that share a server, with time enough for every call. */
export function pair(
  url: string,
  options?: MemberOptions,
): { a: MultiLevelCache; b: MultiLevelCache; prefix: string } {
  const prefix = `${randomUUID()}:`
  const all: MemberOptions = {
    ...patient,
    ...options,
    timeouts: { ...patient.timeouts, ...options?.timeouts },
  }
  return { a: member(url, prefix, all), b: member(url, prefix, all), prefix }
}

/** A plain client, to look at the server and to disturb it. */
export function client(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  onTestFinished(() => redis.disconnect())
  return redis
}

/** Waits until it holds, and says how long that took, in milliseconds. Fails after `limit`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limit = 5_000,
  what = 'it does not come to hold',
): Promise<number> {
  const begun = performance.now()
  while (!(await holds())) {
    if (performance.now() - begun > limit) throw new Error(`${what} within ${limit} ms`)
    await sleep(2)
  }
  return performance.now() - begun
}
