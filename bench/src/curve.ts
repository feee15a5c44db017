import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { LRUCache } from 'lru-cache'
import type { Question } from './question.js'
import { number, type Section, targets } from './report.js'
import { readTrace, type Trace } from './hit-ratio/trace.js'
import { traceFiles } from './hit-ratio/trace-files.js'

/** Present sizes, as shares of the keys of a trace. */
const shares = [0.005, 0.01, 0.05, 0.2]
const factors = [1 / 4, 1 / 2, 1, 2, 4, 8]
const limit = 2

/** How right the hit-ratio curve is. */
export const curve: Question = {
  text: `How far is \`hitRatioCurve()\` from the truth? Each trace is read through a cache that holds ${shares.map((share) => `${share * 100} %`).join(', ')} of its keys, at 100,000 reads a second by the clock it is given, and the curve at ¼ to 8 times of that is held against lru-cache of those sizes, simulated read for read.`,

  async ask(): Promise<readonly Section[]> {
    const rows: string[][] = []
    const means: number[] = []
    for (const file of await traceFiles()) {
      const trace = await readTrace(file)
      const errors: number[] = []
      for (const share of shares) errors.push(await errorOf(trace, Math.round(trace.unique * share)))
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
      means.push(mean)
      rows.push([trace.name, ...errors.map(number), number(mean)])
      process.stderr.write('.')
    }
    return [
      {
        title: 'Mean absolute error over six sizes, in points of hit ratio',
        head: ['trace', ...shares.map((share) => `${share * 100} % of the keys`), 'mean'],
        rows,
      },
      targets([
        {
          what: 'mean of all traces',
          limit,
          unit: ' points',
          measured: means.reduce((sum, mean) => sum + mean, 0) / means.length,
        },
        { what: 'the worst trace', limit, unit: ' points', measured: Math.max(...means) },
      ]),
    ]
  },
}

async function errorOf({ ids, unique: keys }: Trace, entries: number): Promise<number> {
  let now = Date.now()
  const clock = { now: () => now, setTimer: () => undefined, clearTimer: () => {} }
  const cache = new InMemoryCache({ maxEntries: entries, clock })
  const metrics = new CacheMetrics(cache, { clock, curve: true })
  const names = Array.from({ length: keys }, (_, id) => `key:${id}`)
  for (const id of ids) {
    now += 0.01
    await cache.getOrSet(names[id]!, () => id)
  }
  const sizes = factors.map((factor) => Math.min(keys, Math.max(1, Math.round(entries * factor))))
  const errors = metrics
    .hitRatioCurve({ sizes })
    .map(({ entries: size, hitRatio }) => Math.abs(hitRatio - exact(ids, size)))
  await cache.close()
  return (100 * errors.reduce((sum, error) => sum + error, 0)) / errors.length
}

/** What an LRU of so many entries answers. */
function exact(ids: Uint32Array, entries: number): number {
  const cache = new LRUCache<number, true>({ max: entries })
  let hits = 0
  for (const id of ids) {
    if (cache.get(id) === true) hits++
    else cache.set(id, true)
  }
  return hits / ids.length
}
