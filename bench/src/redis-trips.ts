import { setTimeout as pause } from 'node:timers/promises'
import type { Asked, Figures, Question, Round } from './question.js'
import { type Section, type Target, targets } from './report.js'
import { beside } from './rounds.js'
import {
  isPipelined,
  ours,
  redisContestant,
  type RedisContestantName,
  redisContestantNames,
} from './redis/contestants.js'
import { watch } from './redis/monitor.js'
import { startServer } from './redis/server.js'
import { begin } from './redis/session.js'

interface Parameters {
  readonly url: string
  readonly tagged: boolean
}

const keyCount = 100

/** How often a call asks Redis. */
export const redisTrips: Question<RedisContestantName> = {
  text: `How many commands does a call send to Redis? As the server's \`MONITOR\` tells it, for ${keyCount} keys, one call after the other, without the connection that only follows what changes. Hits are those of another process that neither loaded nor read anything before; its first one, which may have to learn what tags stand at, is told apart. \`getMany\` is one call for ${keyCount} keys.`,

  async ask({ takesPart }: Asked): Promise<readonly Section[]> {
    const names = redisContestantNames.filter((name) => takesPart(name) && !isPipelined(name))
    await using server = await startServer()
    const job = { question: 'redis-trips', names } as const
    const tagNames: RedisContestantName[] = []
    for (const name of names) if ((await redisContestant(name)).tagged) tagNames.push(name)
    const [plain] = await beside({ ...job, parameters: { url: server.url, tagged: false } }, 1)
    const [tagged] = await beside(
      { ...job, names: tagNames, parameters: { url: server.url, tagged: true } },
      1,
    )
    const sections: Section[] = []
    const promises: Target[] = []
    for (const [title, all, round] of [
      ['Commands of a call, without tags', names, plain!],
      ['Commands of a call, with a tag', tagNames, tagged!],
    ] as const) {
      const rows: string[][] = []
      for (const name of all) {
        const { label } = await redisContestant(name)
        rows.push([label, ...steps.map((step) => commandsOf(round[name]!, step))])
        if (!ours.includes(name)) continue
        const asked = `${label}, ${title.replace('Commands of a call, ', '')}`
        promises.push(
          { what: `${asked}: a hit`, limit: 1, measured: sum(round[name]!, 'hit'), unit: '' },
          {
            what: `${asked}: \`getMany\` of ${keyCount}`,
            limit: 1,
            measured: sum(round[name]!, 'getMany'),
            unit: '',
          },
        )
      }
      sections.push({
        title,
        head: ['', 'a fill', 'the first hit', 'a hit', `\`getMany\` of ${keyCount}`],
        rows,
      })
    }
    return [...sections, targets(promises)]
  },

  async measure(names, { url, tagged }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await trips(name, url, tagged)
    return figures
  },
}

const steps = ['fill', 'first', 'hit', 'getMany'] as const
type Step = (typeof steps)[number]

async function trips(name: RedisContestantName, url: string, tagged: boolean): Promise<Figures> {
  const session = await begin(name, { url, tags: tagged ? ['users'] : undefined })
  const { subject, admin } = session
  const monitor = await watch(admin)
  const figures: Record<string, number> = {}
  const keys = Array.from({ length: keyCount }, (_, i) => `user:${i}`)
  async function note(step: Step, calls: number, doing: () => Promise<unknown>): Promise<void> {
    await monitor.since()
    await doing()
    // Some of it comes behind.
    await pause(50)
    for (const [command, times] of Object.entries(await monitor.since()))
      figures[`${step} ${command}`] = times / calls
  }
  // Scripts are loaded, and the tag is known.
  await subject.read('warm')
  await note('fill', keyCount, async () => {
    for (const key of keys) await subject.read(key)
  })

  const { loads } = session
  const other = await session.another()
  await (other.get ?? other.read)('first').catch(() => {})
  // It has connected, and its log has been read.
  await pause(700)
  const fresh = await session.another()
  await pause(700)
  await note('first', 1, () => fresh.read('first'))
  await note('hit', keyCount, async () => {
    for (const key of keys) await fresh.read(key)
  })
  const { getMany } = other
  if (getMany !== undefined) await note('getMany', 1, () => getMany(keys))
  if (session.loads !== loads) throw new Error(`${name} loaded: not every read was a hit`)
  monitor.end()
  await session.end()
  return figures
}

const of = (figures: Figures, step: Step): [command: string, times: number][] =>
  Object.entries(figures)
    .filter(([name]) => name.startsWith(`${step} `))
    .map(([name, times]) => [name.slice(step.length + 1), times])

const sum = (figures: Figures, step: Step): number =>
  of(figures, step).reduce((all, [, times]) => all + times, 0)

const commandsOf = (figures: Figures, step: Step): string =>
  of(figures, step)
    .map(([command, times]) => `${times === 1 ? '' : `${Number(times.toFixed(2))} `}${command.toUpperCase()}`)
    .join(' + ')
