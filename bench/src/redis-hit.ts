import { isDeepStrictEqual } from 'node:util'
import type { Asked, Figures, Question, Round } from './question.js'
import { type Section, type Target, targets } from './report.js'
import { beside, ratio } from './rounds.js'
import { ours, redisContestant, type RedisContestantName, redisContestantNames } from './redis/contestants.js'
import { startServer } from './redis/server.js'
import { begin, fill, inFlight, valueOf } from './redis/session.js'
import { cells, overBest, rivals } from './redis/table.js'
import { throughput } from './redis/throughput.js'

interface Parameters {
  readonly url: string
}

const reference: RedisContestantName = 'ioredis'
const keyCount = 5_000

/** What a hit in Redis costs. */
export const redisHit: Question<RedisContestantName> = {
  text: `How many hits in Redis a second, with nothing in memory? ${inFlight} calls under way at a time, over ${keyCount.toLocaleString('en')} keys in turn, each an object of about 200 bytes; a memory in front holds 100 entries, so that it never has one. More is better. Each contestant in a process of its own, the server beside it on the same machine. Processor time is that of one hit, in the process and in the server.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter((name) => name === reference || takesPart(name))
    await using server = await startServer()
    const job = { question: 'redis-hit', names, parameters: { url: server.url } } as const
    const results = await beside(job, rounds)
    const rows: string[][] = []
    for (const name of names) {
      const read = cells(results, name, reference, { rate: 'rate', own: 'own', server: 'server' })
      const get = cells(results, name, reference, { rate: 'getRate' })
      rows.push([(await redisContestant(name)).label, ...read, ...get])
    }
    const promises: Target[] = []
    for (const name of ours.filter((one) => names.includes(one))) {
      const { label } = await redisContestant(name)
      for (const [what, figure] of [
        ['getOrSet', 'rate'],
        ['get', 'getRate'],
      ] as const) {
        const { median } = ratio(results, name, reference, figure)
        const asked = `${label}, \`${what}\``
        promises.push({
          what: `${asked}, over ioredis`,
          limit: 1,
          measured: median,
          unit: '×',
          atLeast: true,
        })
      }
      for (const [whom, isRival] of Object.entries(rivals)) {
        if (!names.some(isRival)) continue
        promises.push({
          what: `${label}, \`getOrSet\`, over ${whom}`,
          limit: 1.3,
          measured: overBest(results, name, 'rate', isRival).median,
          unit: '×',
          atLeast: true,
        })
      }
    }
    return [
      {
        title: 'Hits a second, as a multiple of ioredis without auto-pipelining',
        head: ['', 'get it or load it', 'a second', 'process', 'server', '`get`'],
        rows,
        note: `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. A second: the most of them. Processor time: the median.`,
      },
      targets(promises),
    ]
  },

  async measure(names, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await hits(name, url)
    return figures
  },
}

async function hits(name: RedisContestantName, url: string): Promise<Figures> {
  const session = await begin(name, { url })
  const { subject, admin } = session
  const { keys, next } = await fill(subject, keyCount)
  const { loads } = session

  const { get } = subject
  const before = await reads(admin)
  let calls = 0
  const counted = (call: (key: string) => Promise<unknown>) => (): Promise<unknown> => {
    calls++
    return call(next())
  }
  const { rate, own, server } = await throughput(admin, counted(subject.read))
  const got = get && (await throughput(admin, counted(get)))
  if (session.loads !== loads) throw new Error(`${name} loaded: not every read was a hit`)
  const asked = (await reads(admin)) - before
  if (asked < calls) throw new Error(`${name} asked Redis ${asked} times in ${calls} calls: it has a memory`)
  for (const key of keys.slice(0, 10)) {
    if (!isDeepStrictEqual(await subject.read(key), valueOf(key))) throw new Error(`${name} changes values`)
  }
  await session.end()
  return { rate: rate!, own: own!, server: server!, ...(got && { getRate: got['rate']! }) }

  /** How many keys the server was asked for: a command may ask for several. */
  async function reads(client: typeof admin): Promise<number> {
    const stats = await client.info('stats')
    return Number(/^keyspace_hits:(\d+)/m.exec(stats)![1])
  }
}
