import { setTimeout as pause } from 'node:timers/promises'
import type { Contestant } from './contestant.js'
import { among, contestant, type ContestantName } from './contestants.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, targets } from './report.js'
import { sideBySide } from './rounds.js'

interface Parameters {
  readonly entries: number
  readonly values: 'integers' | 'objects'
}

const reference = 'lru-cache'
const participants = among({
  reference,
  without: ['lru-cache-get', 'flow-cache-closure', 'flow-cache-many-options', 'flow-cache-namespace'],
})
const sizes: readonly Parameters[] = [
  { entries: 100_000, values: 'integers' },
  { entries: 100_000, values: 'objects' },
  { entries: 1_000_000, values: 'integers' },
  { entries: 1_000_000, values: 'objects' },
]

/** What an entry weighs. */
export const heap: Question = {
  text: `How much memory does a cache add for each entry it holds? Keys and values are made beforehand and not counted, so what remains is the cache's own. On the heap and in typed arrays, after garbage collection, each contestant in a process of its own. Values are small integers, or objects with three fields.`,

  async ask({ takesPart }: Asked): Promise<readonly Section[]> {
    const names = participants(takesPart)
    const cells = new Map<ContestantName, string[]>()
    for (const name of names) cells.set(name, [(await contestant(name)).label])
    let worst = 0
    for (const { entries, values } of sizes) {
      const round = await sideBySide({ question: 'heap', names, parameters: { entries, values } })
      for (const name of names) {
        const { bytes } = round[name]!
        const times = bytes! / round[reference]!['bytes']!
        cells.get(name)!.push(`${bytes!.toFixed(0)} B`, `${number(times)}×`)
        if (name === 'flow-cache') worst = Math.max(worst, times)
      }
    }
    return [
      {
        title: 'Bytes per entry, and as a multiple of lru-cache with a ttl',
        head: [
          '',
          ...sizes.flatMap(({ entries, values }) => [`${entries.toLocaleString('en')} ${values}`, '']),
        ],
        rows: [...cells.values()],
      },
      targets(
        worst === 0
          ? []
          : [{ what: 'flow-cache, the worst of the four', limit: 1.5, measured: worst, unit: '×' }],
      ),
    ]
  },

  async measure(names, parameters: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names)
      figures[name] = { bytes: await bytesPerEntry(await contestant(name), parameters) }
    return figures
  },
}

async function bytesPerEntry(rival: Contestant, { entries, values: kind }: Parameters): Promise<number> {
  const keys = Array.from({ length: entries }, (_, i) => `user:${i}`)
  const values = keys.map((key, i) => (kind === 'integers' ? i : { id: i, name: key, email: key }))
  let next = 0
  const load = (): Promise<unknown> => Promise.resolve(values[next])
  // What everybody needs once, code included, is not the entries' weight.
  await fill(await rival.open({ capacity: 100, load }), keys.slice(0, 100))
  next = 0

  const before = await used()
  const subject = await rival.open({ capacity: entries, load })
  await fill(subject, keys)
  const bytes = ((await used()) - before) / entries

  next = entries >> 1
  for (const at of [0, next, entries - 1]) {
    next = at
    if ((await subject.read(keys[at]!)) !== values[at])
      throw new Error(`${rival.label} does not hold what it was given`)
  }
  return bytes

  async function fill(
    { set, read }: Awaited<ReturnType<Contestant['open']>>,
    all: readonly string[],
  ): Promise<void> {
    for (const key of all) {
      await (set === undefined ? read(key) : set(key, values[next]))
      next++
    }
  }
}

/** Bytes in use once everything that can go is gone. */
async function used(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await pause(20)
    globalThis.gc!()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
