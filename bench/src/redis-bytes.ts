import { setTimeout as pause } from 'node:timers/promises'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section } from './report.js'
import { beside } from './rounds.js'
import {
  isPipelined,
  redisContestant,
  type RedisContestantName,
  redisContestantNames,
} from './redis/contestants.js'
import { startServer } from './redis/server.js'
import { begin, callAll, valueOf } from './redis/session.js'

interface Parameters {
  readonly url: string
  readonly tagged: boolean
}

const reference: RedisContestantName = 'ioredis'
const keyCount = 2_000

/** What an entry weighs in Redis. */
export const redisBytes: Question<RedisContestantName> = {
  text: `How many bytes does an entry take in Redis? \`MEMORY USAGE\` of every key that is there after ${keyCount.toLocaleString('en')} fills, what a cache keeps beside its entries included, for each of them. The value is an object of ${JSON.stringify(valueOf('user:1000')).length} bytes as JSON.`,

  async ask({ takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter(
      (name) => name === reference || (takesPart(name) && !isPipelined(name)),
    )
    await using server = await startServer()
    const job = { question: 'redis-bytes' } as const
    const tagNames: RedisContestantName[] = []
    for (const name of names) if ((await redisContestant(name)).tagged) tagNames.push(name)
    const [plain] = await beside({ ...job, names, parameters: { url: server.url, tagged: false } }, 1)
    const [tagged] = await beside(
      { ...job, names: tagNames, parameters: { url: server.url, tagged: true } },
      1,
    )
    const rows: string[][] = []
    for (const name of names) {
      const cells = [plain![name], tagged![name]].flatMap((figures) => {
        if (figures === undefined) return ['', '']
        return [
          `${figures['bytes']!.toFixed(0)} B`,
          `${number(figures['bytes']! / plain![reference]!['bytes']!)}×`,
        ]
      })
      rows.push([(await redisContestant(name)).label, ...cells])
    }
    return [
      {
        title: 'Bytes per entry, and as a multiple of a `SET` of the JSON with a ttl',
        head: ['', 'no tag', '', 'one tag', ''],
        rows,
      },
    ]
  },

  async measure(names, { url, tagged }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = { bytes: await bytesPerEntry(name, url, tagged) }
    return figures
  },
}

async function bytesPerEntry(name: RedisContestantName, url: string, tagged: boolean): Promise<number> {
  const session = await begin(name, { url, tags: tagged ? ['users'] : undefined })
  const { subject, admin } = session
  await callAll(keyCount - 1, (i) => subject.read(`user:${i + 1_000}`))
  await pause(200)
  let bytes = 0
  let cursor = '0'
  do {
    const [next, keys] = await admin.scan(cursor, 'COUNT', 1_000)
    const usages = await Promise.all(keys.map((key) => admin.memory('USAGE', key, 'SAMPLES', 0)))
    bytes += usages.reduce<number>((sum, usage) => sum + (usage ?? 0), 0)
    cursor = next
  } while (cursor !== '0')
  await session.end()
  return bytes / keyCount
}
