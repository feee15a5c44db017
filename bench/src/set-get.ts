import type { Contestant } from './contestant.js'
import { among, contestant } from './contestants.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { type Repeat, nanoseconds } from './timing.js'

const reference = 'lru-cache'
const participants = among({
  reference,
  without: [
    'flow-cache-closure',
    'flow-cache-options',
    'flow-cache-many-options',
    'flow-cache-namespace',
    'async-cache-dedupe',
    'cachified',
  ],
})
const count = 1_000

/** What `set` and `get` cost by themselves. */
export const setGet: Question = {
  text: `What do \`set\` and \`get\` cost by themselves, without a loader? Over ${count.toLocaleString('en')} keys in turn, which are all there. A call that answers at once is not awaited, one that answers with a promise is. Each contestant in a process of its own.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = participants(takesPart)
    const results = await alone({ question: 'set-get', names, parameters: undefined }, rounds)
    const rows: string[][] = []
    for (const name of names) {
      rows.push([
        (await contestant(name)).label.replace(/, `(fetch|get)\(\)`/, ''),
        summary(results, name, 'promise').max > 0 ? 'a promise' : 'at once',
        times(ratio(results, name, reference, 'set')),
        nanos(summary(results, name, 'set')),
        times(ratio(results, name, reference, 'get')),
        nanos(summary(results, name, 'get')),
      ])
    }
    return [
      {
        title: 'Time of a call, as a multiple of lru-cache',
        head: ['', 'answers with', '`set`', 'time', '`get`', 'time'],
        rows,
        note: legend(rounds),
      },
    ]
  },

  async measure(names): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await timeOfBoth(await contestant(name))
    return figures
  },
}

async function timeOfBoth(rival: Contestant): Promise<{ set: number; get: number; promise: number }> {
  const keys = Array.from({ length: count }, (_, i) => `user:${i}`)
  const values = keys.map((key, id) => ({ id, name: key, email: key }))
  const { set, get, close } = await rival.open({
    capacity: count * 2,
    load: () => Promise.reject(new Error('no loader')),
  })
  if (set === undefined || get === undefined) throw new Error(`${rival.label} has no set and get`)
  for (const [i, key] of keys.entries()) await set(key, values[i])
  const answer = get(keys[0]!)
  const promise = isPromise(answer) ? 1 : 0
  if ((await answer) !== values[0]) throw new Error(`${rival.label} does not hold what it was given`)
  const written = repeat(isPromise(set(keys[0]!, values[0])), (i) => set(keys[i]!, values[i]))
  const read = repeat(promise === 1, (i) => get(keys[i]!))
  const figures = { set: await nanoseconds(written), get: await nanoseconds(read), promise }
  await close?.()
  return figures
}

const isPromise = (value: unknown): boolean => value instanceof Promise

/** The calls in turn; the loop awaits only what has to be awaited. */
function repeat(awaited: boolean, call: (i: number) => unknown): Repeat {
  let at = 0
  let found = 0
  const next = (): number => (at = at + 1 === count ? 0 : at + 1)
  if (awaited) {
    return async (times) => {
      for (let i = 0; i < times; i++) if ((await call(next())) === undefined) found++
    }
  }
  return (times) => {
    for (let i = 0; i < times; i++) if (call(next()) === undefined) found++
  }
}
