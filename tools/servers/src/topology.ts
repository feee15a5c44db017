import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { RedisServer } from './redis-server.js'

/** Where a client may begin. */
export interface Seed {
  readonly host: string
  readonly port: number
}

export const seedOf = ({ port }: RedisServer): Seed => ({ host: '127.0.0.1', port })

/** Asks one server, on a connection of its own; rejects within a second or so if it does not answer. */
export async function ask<T>({ url }: RedisServer, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, {
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    // A node of a Cluster that is not ready can still be asked.
    enableReadyCheck: false,
  })
  client.on('error', () => {})
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}

/** Asks all at once; what those say that answer. */
export async function askAll<T>(
  servers: readonly RedisServer[],
  question: (client: Redis, server: RedisServer) => Promise<T>,
): Promise<T[]> {
  return kept(
    await Promise.allSettled(servers.map((server) => ask(server, (client) => question(client, server)))),
  )
}

/** Resolves once it holds; rejects after half a minute. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('the servers did not find each other within 30 seconds')
    await sleep(20)
  }
}

/** All that are being started, or none: those that came up are stopped if another did not. */
export async function allOrNone(started: readonly Promise<RedisServer>[]): Promise<RedisServer[]> {
  const settled = await Promise.allSettled(started)
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed === undefined) return kept(settled)
  await stopAll(kept(settled))
  throw (failed as PromiseRejectedResult).reason
}

/** Ends all at once, so that no master waits for its replicas. */
export async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.kill()))
  await Promise.all(servers.map((server) => server.stop()))
}

const kept = <T>(settled: readonly PromiseSettledResult<T>[]): T[] =>
  settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
