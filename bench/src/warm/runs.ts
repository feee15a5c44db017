import { InMemoryCache } from '@flow-cache/memory'
import { RedisCache } from '@flow-cache/redis'
import { CacheWarmer } from '@flow-cache/warmer'
import { LRUCache } from 'lru-cache'
import type { Figures } from '../question.js'
import type { Origin } from './origins.js'
import { rows } from './tables.js'

export const batch = 100
export const concurrency = 4
/** The first of them finds a process in which nothing is compiled yet. */
export const runs = 4

const ttl = 3_600_000

const run = {
  'bare loop': (origin: Origin): Promise<Figures> => looped(origin, () => new Map<string, unknown>()),
  // What any cache that is bounded and lets its entries expire has to pay.
  'lru-cache': (origin: Origin): Promise<Figures> =>
    looped(origin, () => new LRUCache<string, object>({ max: 2 * rows, ttl })),
  memory: (origin: Origin): Promise<Figures> =>
    warmed(origin, () => new InMemoryCache({ maxEntries: 2 * rows, ttl })),
  redis: (origin: Origin, url: string): Promise<Figures> =>
    warmed(origin, (prefix) => {
      const timeouts = { store: '10s' } as const
      return new RedisCache({ url, prefix, ttl, timeouts, leaseTerm: '20s' })
    }),
}

export type Way = keyof typeof run
export const ways = Object.keys(run) as readonly Way[]

/** Brings in all rows of an origin, several times over: the best figures. */
export const measured = (way: Way, origin: Origin, redis: string): Promise<Figures> => run[way](origin, redis)

/** What a loop puts rows into. */
interface Kept {
  set(key: string, value: unknown): unknown
  readonly size: number
}

/** The same queries in a loop. */
async function looped({ keys, loadMany }: Origin, open: () => Kept): Promise<Figures> {
  const found: Figures[] = []
  for (let i = 0; i < runs; i++) {
    const kept = open()
    let at = 0
    const lane = async (): Promise<void> => {
      while (at < keys.length) {
        const part = keys.slice(at, (at += batch))
        for (const [key, value] of await loadMany(part)) kept.set(key, value)
      }
    }
    found.push(await figuresOf(() => Promise.all(Array.from({ length: concurrency }, lane))))
    if (kept.size !== rows) throw new Error(`the loop kept ${kept.size} rows`)
  }
  return best(found)
}

/** The warmer, into a cache that is empty each time. */
async function warmed(
  { keys, loadMany }: Origin,
  open: (prefix: string) => InMemoryCache | RedisCache,
): Promise<Figures> {
  const loaded: Figures[] = []
  const skipped: Figures[] = []
  for (let i = 0; i < runs; i++) {
    const cache = open(`warm:${process.pid}:${i}:`)
    const warmer = new CacheWarmer({ cache, loadMany, batch, concurrency })
    const all = async (what: 'loaded' | 'skipped'): Promise<void> => {
      const report = await warmer.warm(keys)
      if (report[what] !== rows) throw new Error(`${report[what]} of ${rows} rows were ${what}`)
    }
    loaded.push(await figuresOf(() => all('loaded')))
    skipped.push(await figuresOf(() => all('skipped')))
    await cache.clear()
    await cache.close()
  }
  return { ...best(loaded), again: best(skipped)['rate']! }
}

/** How many keys a second, and how much of the processor this process takes for one, in microseconds. */
async function figuresOf(work: () => Promise<unknown>): Promise<Figures> {
  const started = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { rate: rows / ((performance.now() - started) / 1_000), cpu: (user + system) / rows }
}

/** Whatever else the machine does makes a run only slower. */
const best = (found: readonly Figures[]): Figures => ({
  rate: Math.max(...found.map(({ rate }) => rate!)),
  cpu: Math.min(...found.map(({ cpu }) => cpu!)),
})
