import type { Cache, LoadContext } from '@flow-cache/core'
import { InMemoryCache, memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { ttl } from './contestant.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, targets, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { startServer } from './redis/server.js'
import { valueOf } from './redis/session.js'
import { nanoseconds } from './timing.js'

interface Parameters {
  readonly url: string
}

const caches = {
  memory: { label: '`InMemoryCache`', make: () => new InMemoryCache({ maxEntries: 10_000, ttl }) },
  'multi-level': {
    label: '`MultiLevelCache`',
    make: (url: string) =>
      new MultiLevelCache({ ttl, tiers: [memoryStore({ maxEntries: 10_000 }), redisStore({ url })] }),
  },
}

type Name = keyof typeof caches

const names = Object.keys(caches) as readonly Name[]
const keyCount = 1_000
const ways = [
  { figure: 'read', head: '`getOrSet`' },
  { figure: 'tagged', head: 'closure, `{ ttl, tags }`' },
  { figure: 'get', head: '`get`' },
]

/** What a hit in memory costs where Redis stands behind it. */
export const l1Hit: Question<Name> = {
  text: `What does a hit in the memory in front of Redis cost, beside a hit of a cache with nothing behind it? Calls are awaited one by one, over ${keyCount.toLocaleString('en')} keys in turn. Each contestant in a process of its own.`,

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    await using server = await startServer()
    const results = await alone({ question: 'l1-hit', names, parameters: { url: server.url } }, rounds)
    const rows: string[][] = []
    for (const name of names) {
      const row = [caches[name].label]
      for (const { figure } of ways) {
        row.push(times(ratio(results, name, 'memory', figure)), nanos(summary(results, name, figure)))
      }
      rows.push(row)
    }
    return [
      {
        title: 'Time of a hit, as a multiple of `InMemoryCache`',
        head: ['', ...ways.flatMap(({ head }) => [head, 'time'])],
        rows,
        note: legend(rounds),
      },
      targets(
        ways.map(({ figure, head }) => ({
          what: head,
          limit: 1.15,
          measured: ratio(results, 'multi-level', 'memory', figure).median,
          unit: '×',
        })),
      ),
    ]
  },

  async measure(wanted, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of wanted) figures[name] = await hits(() => caches[name].make(url))
    return figures
  },
}

async function hits(make: () => Cache): Promise<Figures> {
  const keys = Array.from({ length: keyCount }, (_, i) => `user:${i}`)
  let loads = 0
  const load = async (key: string): Promise<unknown> => {
    loads++
    return valueOf(key)
  }
  const loader = ({ key }: LoadContext): Promise<unknown> => load(key)
  const figures: Record<string, number> = {}
  for (const [figure, call] of [
    ['read', (cache: Cache, key: string) => cache.getOrSet(key, loader)],
    [
      'tagged',
      (cache: Cache, key: string) => cache.getOrSet(key, () => load(key), { ttl: '5m', tags: ['users'] }),
    ],
    ['get', (cache: Cache, key: string) => cache.get(key)],
  ] as const) {
    await using cache = make()
    await cache.clear()
    for (const key of keys) await (figure === 'get' ? cache.set(key, valueOf(key)) : call(cache, key))
    const before = loads
    let at = 0
    let found = 0
    let calls = 0
    figures[figure] = await nanoseconds(async (times) => {
      calls += times
      for (let i = 0; i < times; i++) {
        if ((await call(cache, keys[at]!)) !== undefined) found++
        if (++at === keyCount) at = 0
      }
    })
    if (loads !== before || found !== calls) throw new Error(`not every ${figure} was a hit`)
  }
  return figures
}
