import type { TestProject } from 'vitest/node'
import { ping } from './ping.js'
import { type RedisServer, startRedis } from './redis-server.js'
import type { Provided } from './vitest.js'

/**
 * One server for the whole run. A set-up that throws would end the run without a single test, so what went wrong
 * is handed on to the tests that need the server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: RedisServer | undefined
  let provided: Provided
  try {
    const given = process.env['REDIS_URL']
    if (given) await check(given)
    else server = await startRedis()
    provided = { url: given ?? (server as RedisServer).url }
  } catch (error) {
    provided = { error: (error as Error).message }
  }
  project.provide('redis', provided)
  return async () => server?.stop()
}

async function check(given: string): Promise<void> {
  const { protocol, hostname, port } = new URL(given)
  if (protocol !== 'redis:') return
  if (!(await ping({ port: Number(port || 6379), host: hostname }))) {
    throw new Error(`REDIS_URL names ${hostname}:${port || 6379}, but no Redis server answers there.`)
  }
}
