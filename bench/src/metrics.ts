import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, targets, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { nanoseconds } from './timing.js'

/** How a cache is looked at, and how the table calls it. */
const ways = {
  alone: 'nobody looks',
  metrics: '`CacheMetrics`',
  exact: '`CacheMetrics`, `sample: 1`',
  curve: '`CacheMetrics`, `curve: true`',
  event: 'a listener of `hit` that adds one',
} as const
type Way = keyof typeof ways

interface Parameters {
  readonly keys: number
}

const limit = 1.3

/** What metrics cost a hit. */
export const metrics: Question<Way> = {
  text: 'What do metrics cost a fresh hit in memory? Calls are awaited one by one, as in `hit`, each way in a process of its own; keys are made anew for each call, as applications make them. With the curve, what is measured is full load: its budget for following keys is used up then.',

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = (Object.keys(ways) as Way[]).filter((name) => name === 'alone' || takesPart(name))
    const sizes = [1_000, 100_000]
    const results: Round[][] = []
    for (const keys of sizes)
      results.push(await alone({ question: 'metrics', names, parameters: { keys } }, rounds))
    const rows = names.map((name) => [
      ways[name],
      ...results.flatMap((all) => [times(ratio(all, name, 'alone', 'ns')), nanos(summary(all, name, 'ns'))]),
    ])
    const counted = results.map((all) => ratio(all, 'metrics', 'alone', 'ns').median)
    return [
      {
        title: 'Time of a hit, as a multiple of one that nobody looks at',
        head: ['', '1,000 keys', 'time', '100,000 keys', 'time'],
        rows,
        note: legend(rounds),
      },
      targets(
        names.includes('metrics')
          ? sizes.map((keys, i) => ({
              what: `\`CacheMetrics\`, ${keys.toLocaleString('en')} keys`,
              limit,
              unit: '×',
              measured: counted[i]!,
            }))
          : [],
      ),
    ]
  },

  async measure(names, { keys }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = { ns: await timeOfHit(name, keys) }
    return figures
  },
}

async function timeOfHit(way: Way, count: number): Promise<number> {
  const cache = new InMemoryCache({ ttl: '5m', maxEntries: count * 2 })
  const seen = lookAt(cache, way)
  let loads = 0
  const load = (): number => ++loads
  for (let i = 0; i < count; i++) await cache.getOrSet(`user:${i}`, load)
  let at = 0
  let reads = 0
  const ns = await nanoseconds(async (often) => {
    reads += often
    for (let i = 0; i < often; i++) {
      await cache.getOrSet(`user:${at}`, load)
      if (++at === count) at = 0
    }
  })
  if (loads !== count) throw new Error(`${way}: ${loads} loads for ${count} keys: not every read was a hit`)
  if (way !== 'alone' && seen() !== reads) throw new Error(`${way}: saw ${seen()} of ${reads} hits`)
  await cache.close()
  return ns
}

/** Answers with how many hits it has seen. */
function lookAt(cache: InMemoryCache, way: Way): () => number {
  let hits = 0
  if (way === 'alone') return () => 0
  if (way === 'event') {
    cache.on('hit', () => hits++)
    return () => hits
  }
  const counted = new CacheMetrics(cache, { curve: way === 'curve', sample: way === 'exact' ? 1 : 16 })
  return () => counted.report().total.hits
}
