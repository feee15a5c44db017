import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@flow-cache/servers'
import { InMemoryCache } from '@flow-cache/memory'
import { RedisCache } from '@flow-cache/redis'
import { CacheWarmer } from '@flow-cache/warmer'
import Database from 'libsql'
import pg from 'pg'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, targets, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'
import { startServer } from './redis/server.js'

const origins = ['PostgreSQL', 'libsql on a file', 'libsql in memory'] as const
type OriginName = (typeof origins)[number]
const ways = ['bare loop', 'memory', 'redis'] as const
type Way = (typeof ways)[number]
type Name = `${OriginName}, ${Way}`

const nameOf = (origin: OriginName, way: Way): Name => `${origin}, ${way}`
const names = origins.flatMap((origin) => ways.map((way) => nameOf(origin, way)))

interface Parameters {
  readonly redis: string
  readonly postgres: string
  readonly file: string
}

type LoadMany = (keys: readonly string[]) => Promise<Map<string, unknown>>

const rows = 100_000
const batch = 100
const concurrency = 4
/** The first of them finds a process in which nothing is compiled yet. */
const runs = 4

const columns = 'id TEXT PRIMARY KEY, name TEXT, mail TEXT'
const keys = Array.from({ length: rows }, (_, i) => `user:${i}`)

/** What warming costs beside the queries. */
export const warm: Question<Name> = {
  text: `How fast does \`CacheWarmer\` bring in ${rows.toLocaleString('en')} keys from a table of three columns, ${batch} keys a query and ${concurrency} queries at a time, beside a loop that makes the same queries and keeps the rows in a \`Map\`? Then the same run once more, with everything fresh. Each in a process of its own, ${runs} times over; the quickest counts. PostgreSQL is a process of its own on the same machine. libsql runs in the process that asks it and answers at once, so that whatever is done beside its queries stands on their time as a whole: the hardest case, in memory harder than on a file.`,

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    await using redis = await startServer()
    await using postgres = await startPostgres()
    const folder = await mkdtemp(join(tmpdir(), 'flow-cache-warm-'))
    try {
      const file = join(folder, 'users.db')
      await fill(postgres.url, file)
      const parameters: Parameters = { redis: redis.url, postgres: postgres.url, file }
      const results = await beside({ question: 'warm', names, parameters }, rounds)
      const beat = (origin: OriginName, way: Way): ReturnType<typeof ratio> =>
        ratio(results, nameOf(origin, way), nameOf(origin, 'bare loop'), 'rate')
      const sections = origins.map((origin) => ({
        title: `${origin}: keys a second, as a multiple of the bare loop`,
        head: ['', 'loaded', 'a second', 'time of the processor a key', 'skipped, a second'],
        rows: ways.map((way) => {
          const name = nameOf(origin, way)
          return [
            way,
            times(beat(origin, way)),
            number(summary(results, name, 'rate').median),
            `${summary(results, name, 'cpu').min.toFixed(1)} µs`,
            way === 'bare loop' ? '' : number(summary(results, name, 'again').median),
          ]
        }),
      }))
      const target = nameOf('PostgreSQL', 'memory')
      const goal = { what: `${target}, over the bare loop`, limit: 0.8, unit: '×', atLeast: true }
      return [...sections, targets([{ ...goal, measured: beat('PostgreSQL', 'memory').median }])]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },

  async measure(asked, parameters: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of asked) {
      const [origin, way] = name.split(', ') as [OriginName, Way]
      await using opened = await open(origin, parameters)
      figures[name] = await (way === 'bare loop'
        ? looped(opened.loadMany)
        : warmed(opened.loadMany, way, parameters))
    }
    return figures
  },
}

/** Puts the rows where the processes that measure find them. */
async function fill(postgres: string, file: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: postgres, max: 1 })
  await pool.query(`CREATE TABLE users (${columns})`)
  await pool.query(
    `INSERT INTO users SELECT 'user:' || i, 'name ' || i, i || '@example.com' FROM generate_series(0, ${rows - 1}) i`,
  )
  await pool.query('ANALYZE users')
  await pool.end()
  const database = new Database(file)
  fillLibsql(database)
  database.close()
}

function fillLibsql(database: Database.Database): void {
  database.exec(`CREATE TABLE users (${columns})`)
  const insert = database.prepare('INSERT INTO users VALUES (?, ?, ?)')
  database.transaction(() => {
    for (let i = 0; i < rows; i++) insert.run(`user:${i}`, `name ${i}`, `${i}@example.com`)
  })()
}

async function open(
  origin: OriginName,
  { postgres, file }: Parameters,
): Promise<AsyncDisposable & { readonly loadMany: LoadMany }> {
  const byId = (found: readonly { readonly id: string }[]): Map<string, unknown> =>
    new Map(found.map((row) => [row.id, row]))
  if (origin === 'PostgreSQL') {
    const pool = new pg.Pool({ connectionString: postgres, max: concurrency })
    const text = 'SELECT * FROM users WHERE id = ANY($1)'
    return {
      loadMany: async (wanted) =>
        byId((await pool.query<{ id: string }>({ name: 'users', text, values: [wanted] })).rows),
      [Symbol.asyncDispose]: () => pool.end(),
    }
  }
  const database = new Database(origin === 'libsql on a file' ? file : ':memory:')
  if (origin === 'libsql in memory') fillLibsql(database)
  const select = database.prepare('SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))')
  return {
    loadMany: async (wanted) => byId(select.all(JSON.stringify(wanted)) as { id: string }[]),
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

/** The same queries in a loop. */
async function looped(loadMany: LoadMany): Promise<Figures> {
  const found: Figures[] = []
  for (let run = 0; run < runs; run++) {
    const kept = new Map<string, unknown>()
    let at = 0
    const lane = async (): Promise<void> => {
      while (at < keys.length) {
        const part = keys.slice(at, (at += batch))
        for (const [key, value] of await loadMany(part)) kept.set(key, value)
      }
    }
    found.push(await figuresOf(() => Promise.all(Array.from({ length: concurrency }, lane))))
    if (kept.size !== rows) throw new Error(`the loop kept ${kept.size} rows`)
  }
  return best(found)
}

/** The warmer, into a cache that is empty each time. */
async function warmed(loadMany: LoadMany, way: Way, { redis }: Parameters): Promise<Figures> {
  const loaded: Figures[] = []
  const skipped: Figures[] = []
  for (let run = 0; run < runs; run++) {
    const cache =
      way === 'memory'
        ? new InMemoryCache({ maxEntries: 2 * rows, ttl: '1h' })
        : new RedisCache({
            url: redis,
            prefix: `warm:${process.pid}:${run}:`,
            ttl: '1h',
            timeouts: { store: '10s' },
            leaseTerm: '20s',
          })
    const warmer = new CacheWarmer({ cache, loadMany, batch, concurrency })
    const all = async (what: 'loaded' | 'skipped'): Promise<void> => {
      const report = await warmer.warm(keys)
      if (report[what] !== rows) throw new Error(`${way}: ${report[what]} of ${rows} were ${what}`)
    }
    loaded.push(await figuresOf(() => all('loaded')))
    skipped.push(await figuresOf(() => all('skipped')))
    await cache.clear()
    await cache.close()
  }
  return { ...best(loaded), again: best(skipped)['rate']! }
}

/** How many keys a second, and how much of the processor this process takes for one, in microseconds. */
async function figuresOf(work: () => Promise<unknown>): Promise<Figures> {
  const started = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { rate: rows / ((performance.now() - started) / 1_000), cpu: (user + system) / rows }
}

/** Whatever else the machine does makes a run only slower. */
const best = (found: readonly Figures[]): Figures => ({
  rate: Math.max(...found.map(({ rate }) => rate!)),
  cpu: Math.min(...found.map(({ cpu }) => cpu!)),
})
