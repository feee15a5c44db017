import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { InMemoryCache } from '@flow-cache/memory'
import { WriteBehindCache } from '@flow-cache/strategies'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import { Pool } from 'pg'
import { postgresOrigin } from './postgres-origin.js'

/**
 * Keeps where players stand: written many times a second, and worth a row in PostgreSQL now and then. A write is answered
 * when it is safe in a file, is read at once, and reaches the database in batches, the last of each player's alone. A
 * process that is killed leaves the file; the next one with the same directory goes on where it ended.
 *
 *     DATABASE_URL=postgres://… JOURNAL=/var/lib/game/journal PORT=8080 node write-behind-postgres.js
 */
const { DATABASE_URL, JOURNAL, PORT = '0' } = process.env

const pool = new Pool({ connectionString: DATABASE_URL!, max: 4 })
// A connection that ends while nobody uses it: the next query opens another one.
pool.on('error', (error) => process.stderr.write(`${error.message}\n`))

const cache = new InMemoryCache({ maxEntries: 100_000, ttl: '1h' })
const positions = new WriteBehindCache({
  cache,
  // It takes no write twice and none that comes late: at least once is all that a journal can promise.
  origin: await postgresOrigin(pool, 'positions'),
  journal: fileJournal(JOURNAL!),
  flushInterval: '2s',
  maxBatch: 500,
})

async function answer(request: IncomingMessage): Promise<unknown> {
  const player = request.url!.slice(1)
  if (request.method === 'PUT') return positions.set(player, JSON.parse(await text(request)))
  return player === '' ? positions.stats() : positions.get(player)
}

const server = createServer((request, response) => {
  const end = (status: number, body: unknown = null): void => {
    // A connection kept alive for the next request would keep the server from closing.
    if (!server.listening) response.shouldKeepAlive = false
    response.writeHead(status).end(JSON.stringify(body))
  }
  answer(request).then(
    (body) => end(200, body),
    (error: unknown) => end(500, String(error)),
  )
})

process.once('SIGTERM', () => {
  const end = async (): Promise<void> => {
    // Brings to the database what it can in that time. What is pending then is in the file.
    const { pending } = await positions.close({ deadline: '8s' })
    if (pending > 0) process.stderr.write(`${pending} players are for the next process\n`)
    await cache.close()
    await pool.end()
  }
  server.close(() => void end())
  server.closeIdleConnections()
})

server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
