import { InMemoryCache } from '@flow-cache/memory'
import { RedisCache } from '@flow-cache/redis'
import { CacheWarmer } from '@flow-cache/warmer'
import Database from 'libsql'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, targets, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'
import { startServer } from './redis/server.js'

const names = ['bare loop', 'memory', 'redis'] as const
type Name = (typeof names)[number]

interface Parameters {
  readonly url: string
}

const rows = 100_000
const batch = 100
const concurrency = 4

/** What warming costs beside the queries. */
export const warm: Question<Name> = {
  text: `How fast does \`CacheWarmer\` bring in ${rows.toLocaleString('en')} keys from a table of libsql in memory, ${batch} keys a query and ${concurrency} queries at a time, beside a loop that makes the same queries and keeps the rows in a \`Map\`? More is better. Then the same run once more, with everything fresh. Each in a process of its own.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const asked = names.filter((name) => name === 'bare loop' || takesPart(name))
    await using server = await startServer()
    const results = await beside({ question: 'warm', names: asked, parameters: { url: server.url } }, rounds)
    const beat = (name: Name): ReturnType<typeof ratio> => ratio(results, name, 'bare loop', 'rate')
    return [
      {
        title: 'Keys a second, as a multiple of the bare loop',
        head: ['', 'loaded', 'a second', 'skipped, a second'],
        rows: asked.map((name) => [
          name,
          times(beat(name)),
          number(summary(results, name, 'rate').median),
          name === 'bare loop' ? '' : number(summary(results, name, 'again').median),
        ]),
      },
      targets(
        asked
          .filter((name) => name === 'memory')
          .map((name) => ({
            what: `${name}, over the bare loop`,
            limit: 0.8,
            measured: beat(name).median,
            unit: '×',
            atLeast: true,
          })),
      ),
    ]
  },

  async measure(asked, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of asked) figures[name] = await measured(name, url)
    return figures
  },
}

async function measured(name: Name, url: string): Promise<Figures> {
  const database = new Database(':memory:')
  database.exec('CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, mail TEXT)')
  const insert = database.prepare('INSERT INTO users VALUES (?, ?, ?)')
  database.transaction(() => {
    for (let i = 0; i < rows; i++) insert.run(`user:${i}`, `name ${i}`, `${i}@example.com`)
  })()
  const select = database.prepare('SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))')
  const loadMany = async (keys: readonly string[]): Promise<Map<string, unknown>> => {
    const found = select.all(JSON.stringify(keys)) as { id: string }[]
    return new Map(found.map((row) => [row.id, row]))
  }
  const keys = Array.from({ length: rows }, (_, i) => `user:${i}`)
  if (name === 'bare loop') {
    const kept = new Map<string, unknown>()
    const rate = await timed(async () => {
      let at = 0
      const lane = async (): Promise<void> => {
        while (at < keys.length) {
          const part = keys.slice(at, (at += batch))
          for (const [key, value] of await loadMany(part)) kept.set(key, value)
        }
      }
      await Promise.all(Array.from({ length: concurrency }, lane))
    })
    if (kept.size !== rows) throw new Error(`the loop kept ${kept.size} rows`)
    return { rate }
  }
  const cache =
    name === 'memory'
      ? new InMemoryCache({ maxEntries: 2 * rows, ttl: '1h' })
      : new RedisCache({
          url,
          prefix: `warm:${process.pid}:`,
          ttl: '1h',
          timeouts: { store: '10s' },
          leaseTerm: '20s',
        })
  const warmer = new CacheWarmer({ cache, loadMany, batch, concurrency })
  const run = async (what: 'loaded' | 'skipped'): Promise<void> => {
    const report = await warmer.warm(keys)
    if (report[what] !== rows) throw new Error(`${name}: ${report[what]} of ${rows} were ${what}`)
  }
  const rate = await timed(() => run('loaded'))
  const again = await timed(() => run('skipped'))
  await cache.close()
  return { rate, again }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return rows / ((performance.now() - started) / 1_000)
}
