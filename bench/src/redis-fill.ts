import { setTimeout as pause } from 'node:timers/promises'
import type { Asked, Figures, Question, Round } from './question.js'
import { type Section, type Target, targets } from './report.js'
import { beside } from './rounds.js'
import { ours, redisContestant, type RedisContestantName, redisContestantNames } from './redis/contestants.js'
import { startServer } from './redis/server.js'
import { begin, inFlight } from './redis/session.js'
import { cells, overBest, rivals } from './redis/table.js'
import { throughput } from './redis/throughput.js'

interface Parameters {
  readonly url: string
}

const reference: RedisContestantName = 'ioredis'

/** What it costs to fill Redis. */
export const redisFill: Question<RedisContestantName> = {
  text: `How many cold fills a second: nobody has the key, the loader answers at once, the value is stored? ${inFlight} calls under way at a time, every key a new one. More is better. flow-cache takes a lease first, so that one process loads and no older value is stored; the others ask, load and write. Each contestant in a process of its own, the server beside it. Processor time is that of one fill, in the process and in the server.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter((name) => name === reference || takesPart(name))
    await using server = await startServer()
    const job = { question: 'redis-fill', names, parameters: { url: server.url } } as const
    const results = await beside(job, rounds)
    const rows: string[][] = []
    for (const name of names) {
      const read = cells(results, name, reference, { rate: 'rate', own: 'own', server: 'server' })
      rows.push([(await redisContestant(name)).label, ...read])
    }
    const promises: Target[] = []
    for (const name of ours.filter((one) => names.includes(one))) {
      const { label } = await redisContestant(name)
      for (const [whom, isRival] of Object.entries(rivals)) {
        if (!names.some(isRival)) continue
        promises.push({
          what: `${label}, over ${whom}`,
          limit: 0.9,
          measured: overBest(results, name, 'rate', isRival).median,
          unit: '×',
          atLeast: true,
        })
      }
    }
    return [
      {
        title: 'Fills a second, as a multiple of ioredis without auto-pipelining',
        head: ['', 'get it or load it', 'a second', 'process', 'server'],
        rows,
        note: `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. A second: the most of them. Processor time: the median.`,
      },
      targets(promises),
    ]
  },

  async measure(names, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await fills(name, url)
    return figures
  },
}

async function fills(name: RedisContestantName, url: string): Promise<Figures> {
  const session = await begin(name, { url })
  const { subject, admin } = session
  const { loads } = session
  let calls = 0
  const figures = await throughput(admin, () => subject.read(`user:${calls++}`))
  if (session.loads - loads !== calls)
    throw new Error(`${name} loaded ${session.loads} times in ${calls} calls`)
  // Some write behind.
  for (let i = 0; (await admin.dbsize()) < calls; i++) {
    if (i === 20) throw new Error(`${name} stored ${await admin.dbsize()} of ${calls}`)
    await pause(50)
  }
  await session.end()
  return figures
}
