import { type Contestant, type Subject } from './contestant.js'
import { among, contestant, type ContestantName } from './contestants.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, targets, times } from './report.js'
import { alone, ratio, summary, together } from './rounds.js'
import { nanoseconds } from './timing.js'

interface Parameters {
  /** How many keys are read in turn. */
  readonly keys: number
}

const reference = 'lru-cache'
const participants = among({ reference, without: ['flow-cache-simple'] })

/** How much longer than the reference it may take, at 1,000 keys. */
const promises: readonly { readonly name: ContestantName; readonly what: string; readonly limit: number }[] =
  [
    { name: 'flow-cache', what: '`getOrSet(key, loader)`', limit: 1 },
    { name: 'flow-cache-options', what: 'the same with `{ ttl, tags }` per call', limit: 1.25 },
  ]

/** What a read of a fresh value in memory costs. */
export const hit: Question = {
  text: `What does a fresh hit in memory cost? Calls are awaited one by one; keys are strings made beforehand, read in turn, and all of them are cached. Main figure: each contestant in a process of its own.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = participants(takesPart)
    const job = { question: 'hit', names } as const
    const few = await alone({ ...job, parameters: { keys: 1_000 } }, rounds)
    const many = await alone({ ...job, parameters: { keys: 100_000 } }, rounds)
    const shared = await together({ ...job, parameters: { keys: 1_000 } }, rounds)
    const rows: string[][] = []
    for (const name of names) {
      rows.push([
        (await contestant(name)).label,
        times(ratio(few, name, reference, 'ns')),
        nanos(summary(few, name, 'ns')),
        times(ratio(many, name, reference, 'ns')),
        nanos(summary(many, name, 'ns')),
        times(ratio(shared, name, reference, 'ns')),
      ])
    }
    return [
      {
        title: 'Time of a hit, as a multiple of `fetch()` of lru-cache',
        head: ['', '1,000 keys', 'time', '100,000 keys', 'time', '1,000 keys, all in one process'],
        rows,
        note: legend(rounds),
      },
      targets(
        promises
          .filter(({ name }) => names.includes(name))
          .map(({ name, what, limit }) => ({
            what,
            limit,
            unit: '×',
            measured: ratio(few, name, reference, 'ns').median,
          })),
      ),
    ]
  },

  async measure(names, { keys }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    // Where they share a process, only the second time counts: by then the engine has seen everybody.
    for (const name of names.length > 1 ? [...names, ...names] : names) {
      figures[name] = { ns: await timeOfHit(await contestant(name), keys) }
    }
    return figures
  },
}

async function timeOfHit(rival: Contestant, count: number): Promise<number> {
  const keys = Array.from({ length: count }, (_, i) => `user:${i}`)
  let loads = 0
  const load = async (key: string): Promise<unknown> => ({
    id: ++loads,
    name: key,
    email: `${key}@example.org`,
  })
  const subject = await rival.open({ capacity: count * 2, load })
  for (const key of keys) await subject.read(key)

  const ns = await nanoseconds(reading(subject, keys))

  if (loads !== count)
    throw new Error(`${rival.label} loaded ${loads} times for ${count} keys: not every read was a hit`)
  await subject.close?.()
  return ns
}

function reading({ read }: Subject, keys: readonly string[]): (times: number) => Promise<void> {
  let at = 0
  return async (times) => {
    let found = 0
    for (let i = 0; i < times; i++) {
      if ((await read(keys[at]!)) !== undefined) found++
      if (++at === keys.length) at = 0
    }
    if (found !== times) throw new Error('a read found nothing')
  }
}
