import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'

/**
 * A service of which as many processes may run as you like: they share one load of each key, and what one of them is told
 * no other one answers differently for longer than a moment.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 ORIGIN=http://127.0.0.1:9000 PORT=8080 node two-processes.js
 */
const { REDIS_URL, ORIGIN, PREFIX = 'prices:', PORT = '0' } = process.env

const cache = new MultiLevelCache({
  // Memory answers; Redis knows what the others know, who is loading, and what has changed.
  tiers: [memoryStore({ maxEntries: 10_000 }), redisStore({ url: REDIS_URL!, prefix: PREFIX })],
  ttl: '10m',
  grace: '1h',
  // What a Redis that hangs costs a miss until the circuit opens; a hit in memory, nothing. Default: 200 ms.
  timeouts: { store: '2s' },
})

const server = createServer((request, response) => {
  const end = (status: number, body = ''): void => {
    // A connection kept alive for the next request would keep the server from closing.
    if (!server.listening) response.shouldKeepAlive = false
    response.writeHead(status).end(body)
  }
  answer(request.method!, request.url!).then(
    (body) => end(200, body),
    (error: unknown) => end(502, String(error)),
  )
})

async function answer(method: string, path: string): Promise<string> {
  if (method === 'PUT') {
    // Somebody says that it changed at the origin. Once this resolves, a load that began before it is stored nowhere.
    await cache.delete(path)
    return 'thanks'
  }
  return cache.getOrSet(path, async ({ signal }) => {
    const answer = await fetch(ORIGIN + path, { signal })
    if (!answer.ok) throw new Error(`the origin says ${answer.status}`)
    return answer.text()
  })
}

process.once('SIGTERM', () => {
  // First the requests under way have their answers; then the cache ends, and with it the connections to Redis.
  server.close(() => void cache.close())
  server.closeIdleConnections()
})

server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
