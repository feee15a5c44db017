import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, startProxy } from '@flow-cache/servers'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, targets, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'
import { startServer } from './redis/server.js'
import { fill, openOrigin, type OriginName, originNames, type Places } from './warm/origins.js'
import { batch, concurrency, measured, runs, type Way, ways } from './warm/runs.js'
import { rows } from './warm/tables.js'

type Name = `${OriginName}, ${Way}`

const nameOf = (origin: OriginName, way: Way): Name => `${origin}, ${way}`
const names = originNames.flatMap((origin) => ways.map((way) => nameOf(origin, way)))

interface Parameters extends Places {
  readonly redis: string
}

/** What warming costs beside the queries. */
export const warm: Question<Name> = {
  text: `How fast does \`CacheWarmer\` bring in ${rows.toLocaleString('en')} keys, ${batch} keys a query and ${concurrency} queries at a time, beside a loop that makes the same queries and keeps the rows in a \`Map\`, or in lru-cache with a ttl, which is the least that a bounded cache can do? Then the same run once more, with everything fresh. Each in a process of its own, ${runs} times over; the quickest counts. The table has three short columns; the typical one a dozen: identifiers, texts, instants, a number, a boolean and some 200 bytes of JSON. PostgreSQL is a process of its own on the same machine, nearer than a database usually is, or behind a proxy that makes it a millisecond away. libsql runs in the process that asks it and answers at once, so that whatever is done beside its queries stands on their time as a whole: the hardest case, in memory harder than on a file.`,

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    await using redis = await startServer()
    await using postgres = await startPostgres()
    const near = new URL(postgres.url)
    await using proxy = await startProxy({ host: near.hostname, port: Number(near.port) })
    const far = new URL(near)
    far.port = String(proxy.port)
    // One way: there and back it is a millisecond, as to a machine in the same data centre.
    proxy.delay(1, 0)
    const folder = await mkdtemp(join(tmpdir(), 'flow-cache-warm-'))
    try {
      const parameters: Parameters = {
        redis: redis.url,
        postgres: postgres.url,
        farPostgres: far.href,
        file: join(folder, 'users.db'),
      }
      await fill(parameters)
      const results = await beside({ question: 'warm', names, parameters }, rounds)
      const beat = (origin: OriginName, way: Way): ReturnType<typeof ratio> =>
        ratio(results, nameOf(origin, way), nameOf(origin, 'bare loop'), 'rate')
      const isCache = (way: Way): boolean => way === 'memory' || way === 'redis'
      const sections = originNames.map((origin) => ({
        title: `${origin}: keys a second, as a multiple of the bare loop`,
        head: ['', 'loaded', 'a second', 'time of the processor a key', 'skipped, a second'],
        rows: ways.map((way) => {
          const name = nameOf(origin, way)
          return [
            way,
            times(beat(origin, way)),
            number(summary(results, name, 'rate').median),
            `${summary(results, name, 'cpu').min.toFixed(1)} µs`,
            isCache(way) ? number(summary(results, name, 'again').median) : '',
          ]
        }),
      }))
      const goals = originNames
        .filter((origin) => origin.startsWith('PostgreSQL'))
        .map((origin) => ({
          what: `${origin}, memory, over the bare loop`,
          limit: 0.8,
          unit: '×',
          atLeast: true,
          measured: beat(origin, 'memory').median,
        }))
      return [...sections, targets(goals)]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },

  async measure(asked, { redis, ...places }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of asked) {
      const at = name.lastIndexOf(', ')
      const [originName, way] = [name.slice(0, at) as OriginName, name.slice(at + 2) as Way]
      await using origin = openOrigin(originName, places, concurrency)
      figures[name] = await measured(way, origin, redis)
    }
    return figures
  },
}
