import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
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
const columns = ['fill', 'hit'] as const

/** What a call sends over the wire. */
export const redisWire: Question<RedisContestantName> = {
  text: `How many bytes go to Redis and come from it for a fill and for a hit? As the server counts them, both ways together, over ${keyCount.toLocaleString('en')} keys, with what a cache has to say beside its calls. The value is an object of ${JSON.stringify(valueOf('user:1000')).length} bytes as JSON.`,

  async ask({ takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter(
      (name) => name === reference || (takesPart(name) && !isPipelined(name)),
    )
    await using server = await startServer()
    const tagNames: RedisContestantName[] = []
    for (const name of names) if ((await redisContestant(name)).tagged) tagNames.push(name)
    const job = { question: 'redis-wire' } as const
    const [plain] = await beside({ ...job, names, parameters: { url: server.url, tagged: false } }, 1)
    const [tagged] = await beside(
      { ...job, names: tagNames, parameters: { url: server.url, tagged: true } },
      1,
    )
    const rows: string[][] = []
    for (const name of names) {
      const cells = [plain![name], tagged![name]].flatMap((figures) =>
        columns.flatMap((column) =>
          figures === undefined
            ? ['', '']
            : [
                `${figures[column]!.toFixed(0)} B`,
                `${number(figures[column]! / plain![reference]![column]!)}×`,
              ],
        ),
      )
      rows.push([(await redisContestant(name)).label, ...cells])
    }
    return [
      {
        title: 'Bytes of a call, and as a multiple of what ioredis needs without a tag',
        head: ['', 'a fill', '', 'a hit', '', 'a fill, one tag', '', 'a hit, one tag', ''],
        rows,
      },
    ]
  },

  async measure(names, { url, tagged }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await bytes(name, url, tagged)
    return figures
  },
}

async function bytes(
  name: RedisContestantName,
  url: string,
  tagged: boolean,
): Promise<Record<(typeof columns)[number], number>> {
  const session = await begin(name, { url, tags: tagged ? ['users'] : undefined })
  const { subject, admin } = session
  const read = (i: number): Promise<unknown> => subject.read(`user:${i + 1_000}`)
  // Scripts are loaded, and the tag is known.
  await subject.read('warm')
  const counted = async (): Promise<number> => {
    const before = await transferred(admin)
    await callAll(keyCount, read)
    // Some of it comes behind.
    await pause(100)
    return ((await transferred(admin)) - before) / keyCount
  }
  const fill = await counted()
  const { loads } = session
  const hit = await counted()
  if (session.loads !== loads) throw new Error(`${name} loaded: not every read was a hit`)
  await session.end()
  return { fill, hit }
}

/** Bytes that the server has received and sent so far. Asking adds some three thousand, one or two for each key. */
async function transferred(admin: Redis): Promise<number> {
  const info = await admin.info('stats')
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
  return bytesOf('total_net_input_bytes') + bytesOf('total_net_output_bytes')
}
