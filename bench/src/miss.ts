import type { Contestant } from './contestant.js'
import { among, contestant } from './contestants.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, number, type Section, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { nanoseconds } from './timing.js'

const reference = 'lru-cache'
const participants = among({
  reference,
  without: ['flow-cache-simple', 'flow-cache-closure', 'flow-cache-many-options', 'flow-cache-namespace'],
})
const capacity = 1_000
const callers = 100

/** What a read that finds nothing costs. */
export const miss: Question = {
  text: `What does a miss cost, beside what the loader takes? The loader answers at once. One by one: a cache of ${capacity.toLocaleString('en')} entries is read with 20 times as many keys in turn, so that every read loads, fills and evicts. ${callers} callers: as many reads of one missing key at the same moment, all awaited together; the loader should run once. Each contestant in a process of its own.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = participants(takesPart)
    const results = await alone({ question: 'miss', names, parameters: undefined }, rounds)
    const rows: string[][] = []
    for (const name of names) {
      rows.push([
        (await contestant(name)).label,
        times(ratio(results, name, reference, 'one')),
        nanos(summary(results, name, 'one')),
        times(ratio(results, name, reference, 'crowd')),
        nanos(summary(results, name, 'crowd')),
        number(summary(results, name, 'loads').median).replace('.00', ''),
      ])
    }
    return [
      {
        title: 'Time of a miss, as a multiple of `fetch()` of lru-cache',
        head: ['', 'one by one', 'time', `${callers} callers`, 'time', `loads for ${callers} callers`],
        rows,
        note: legend(rounds),
      },
    ]
  },

  async measure(names): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) {
      const rival = await contestant(name)
      figures[name] = { one: await timeOfMiss(rival), ...(await timeOfCrowd(rival)) }
    }
    return figures
  },
}

const keys = Array.from({ length: capacity * 20 }, (_, i) => `user:${i}`)

async function timeOfMiss(rival: Contestant): Promise<number> {
  let loads = 0
  const load = async (key: string): Promise<unknown> => ({ id: ++loads, name: key })
  const { read, close } = await rival.open({ capacity, load })
  let reads = 0
  const ns = await nanoseconds(async (times) => {
    for (let i = 0; i < times; i++) await read(keys[reads++ % keys.length]!)
  })
  if (loads !== reads) throw new Error(`${rival.label} loaded ${loads} times for ${reads} misses`)
  await close?.()
  return ns
}

async function timeOfCrowd(rival: Contestant): Promise<{ crowd: number; loads: number }> {
  let loads = 0
  const load = async (key: string): Promise<unknown> => ({ id: ++loads, name: key })
  const { read, close } = await rival.open({ capacity, load })
  let moments = 0
  const crowd = await nanoseconds(async (times) => {
    for (let i = 0; i < times; i++) {
      const key = keys[moments++ % keys.length]!
      const reads: unknown[] = []
      for (let n = 0; n < callers; n++) reads.push(read(key))
      await Promise.all(reads)
    }
  })
  await close?.()
  return { crowd, loads: loads / moments }
}
