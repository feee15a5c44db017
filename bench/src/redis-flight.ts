import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'
import { redisContestant, type RedisContestantName, redisContestantNames } from './redis/contestants.js'
import { startServer } from './redis/server.js'
import { begin, fill } from './redis/session.js'
import { throughput } from './redis/throughput.js'

interface Parameters {
  readonly url: string
}

const reference: RedisContestantName = 'ioredis'
const keyCount = 5_000
const concurrencies = [1, 64, 1_024]

/** How hits in Redis go with the number of calls under way. */
export const redisFlight: Question<RedisContestantName> = {
  text: `How many hits in Redis a second, with ${concurrencies.map((one) => one.toLocaleString('en')).join(', ')} calls under way at a time? As in \`redis-hit\`: over ${keyCount.toLocaleString('en')} keys in turn, nothing in memory, each contestant in a process of its own. More is better.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter((name) => name === reference || takesPart(name))
    await using server = await startServer()
    const results = await beside({ question: 'redis-flight', names, parameters: { url: server.url } }, rounds)
    const rows: string[][] = []
    for (const name of names) {
      const cells = concurrencies.flatMap((atOnce) => [
        times(ratio(results, name, reference, `${atOnce}`)),
        Math.round(summary(results, name, `${atOnce}`).max).toLocaleString('en'),
        `${number(summary(results, name, `${atOnce} own`).median)} µs`,
      ])
      rows.push([(await redisContestant(name)).label, ...cells])
    }
    return [
      {
        title: 'Hits a second, as a multiple of ioredis without auto-pipelining with as many under way',
        head: [
          '',
          ...concurrencies.flatMap((one) => [`${one.toLocaleString('en')} in flight`, 'a second', 'process']),
        ],
        rows,
        note: `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. A second: the most of them. Processor time of a hit in the process: the median; other work bends it least.`,
      },
    ]
  },

  async measure(names, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await rates(name, url)
    return figures
  },
}

async function rates(name: RedisContestantName, url: string): Promise<Figures> {
  const session = await begin(name, { url })
  const { subject, admin } = session
  const { next } = await fill(subject, keyCount)
  const { loads } = session
  const found: Record<string, number> = {}
  for (const atOnce of concurrencies) {
    const { rate, own } = await throughput(admin, () => subject.read(next()), atOnce)
    found[atOnce] = rate!
    found[`${atOnce} own`] = own!
  }
  if (session.loads !== loads) throw new Error(`${name} loaded: not every read was a hit`)
  await session.end()
  return found
}
