import type { Cache } from '@flow-cache/core'
import { InMemoryCache, memoryStore } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { cacheNode, defineNode, runNode } from '@flow-cache/node'
import { redisStore } from '@flow-cache/redis'
import { ReadThrough } from '@flow-cache/strategies'
import { LRUCache } from 'lru-cache'
import { ttl } from './contestant.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { startServer } from './redis/server.js'
import { nanoseconds } from './timing.js'

interface Parameters {
  readonly url: string
}

/** A way to a fresh hit: how to read, and how to end. */
interface Way {
  readonly label: string
  /** Why it takes longer than a plain hit, where it does. */
  readonly why: string
  open(url: string): {
    readonly read: (key: string) => Promise<unknown>
    /** How a key gets there, if reading it does not load. */
    readonly fill?: (key: string) => Promise<unknown>
    readonly close?: () => unknown
  }
}

const maxEntries = 10_000
const load = async (key: string): Promise<{}> => ({ id: 1, name: key })
const memory = (): Cache => new InMemoryCache({ maxEntries, ttl })
const plain = (cache: Cache): ReturnType<Way['open']> => ({
  read: (key) => cache.getOrSet(key, () => load(key)),
  close: () => cache.close(),
})

const reference = 'lru-cache'
const ways: Readonly<Record<string, Way>> = {
  'lru-cache': {
    label: 'lru-cache, `fetch()`',
    why: '',
    open() {
      const cache = new LRUCache<string, {}>({
        max: maxEntries,
        ttl,
        fetchMethod: (key) => load(key),
      })
      return { read: (key) => cache.fetch(key) }
    },
  },
  plain: {
    label: '`getOrSet`',
    why: "'adaptive' notes what is used twice, and in which order, in lists of its own; with 'lru' see the next line",
    open: () => plain(memory()),
  },
  lru: {
    label: "`getOrSet`, `policy: 'lru'`",
    why: 'a call of two functions, and counters',
    open: () => plain(new InMemoryCache({ maxEntries, ttl, policy: 'lru' })),
  },
  options: {
    label: '`getOrSet` with `{ ttl }`',
    why: 'the options are looked at',
    open() {
      const cache = memory()
      return { ...plain(cache), read: (key) => cache.getOrSet(key, () => load(key), { ttl: '5m' }) }
    },
  },
  tags: {
    label: '`getOrSet` with `{ ttl, tags }`',
    why: 'two objects are made and looked at; the versions of the tags are compared',
    open() {
      const cache = memory()
      return {
        ...plain(cache),
        read: (key) => cache.getOrSet(key, () => load(key), { ttl: '5m', tags: ['users'] }),
      }
    },
  },
  namespace: {
    label: 'in a namespace',
    why: 'a string is made of the name and the key, and hashed anew: no engine remembers its hash',
    open: () => plain(memory().namespace('shop')),
  },
  get: {
    label: '`get`',
    why: "'adaptive', as in the first line",
    open() {
      const cache = memory()
      return {
        ...plain(cache),
        fill: plain(cache).read,
        read: (key) => cache.get(key),
      }
    },
  },
  wrap: {
    label: 'a wrapped function',
    why: 'a key is made of the arguments: SHA-256',
    open() {
      const cache = memory()
      return { ...plain(cache), read: cache.wrap('user', load) }
    },
  },
  metrics: {
    label: 'with `CacheMetrics`',
    why: 'counters, and two countdowns',
    open() {
      const cache = memory()
      const metrics = new CacheMetrics(cache)
      return {
        read: plain(cache).read,
        close: () => {
          metrics.close()
          return cache.close()
        },
      }
    },
  },
  'multi-level': {
    label: '`MultiLevelCache`, in memory',
    why: "'adaptive', as in the first line",
    open: (url) =>
      plain(new MultiLevelCache({ ttl, tiers: [memoryStore({ maxEntries }), redisStore({ url })] })),
  },
  'read-through': {
    label: '`ReadThrough`',
    why: 'one more call',
    open() {
      const cache = memory()
      const users = new ReadThrough({
        cache,
        origin: { readMany: (keys) => new Map(keys.map((key) => [key, { id: 1, name: key }])) },
      })
      return { read: (key) => users.get(key), close: () => cache.close() }
    },
  },
  node: {
    label: 'a cached node',
    why: 'a key is made of the input, its scope and the node; the result is wrapped, checked and counted',
    open() {
      const cache = memory()
      const cached = cacheNode(
        defineNode('user', (key: string) => load(key)),
        { cache, scope: { tenant: 'a' } },
      )
      return { read: (key) => runNode(cached, key), close: () => cache.close() }
    },
  },
}
const names = Object.keys(ways)
const count = 1_000

/** What a hit costs by every way there is to one. */
export const hitWays: Question<string> = {
  text: `What does a hit cost by every way there is to one? ${count.toLocaleString('en')} keys in turn, awaited one by one, each way in a process of its own.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    await using server = await startServer()
    const asked = names.filter((name) => name === reference || takesPart(name))
    const results = await alone({ question: 'ways', names: asked, parameters: { url: server.url } }, rounds)
    return [
      {
        title: 'Time of a hit, as a multiple of `fetch()` of lru-cache',
        head: ['', 'ratio', 'time', 'why'],
        rows: asked.map((name) => [
          ways[name]!.label,
          times(ratio(results, name, reference, 'ns')),
          nanos(summary(results, name, 'ns')),
          ways[name]!.why,
        ]),
        note: legend(rounds),
      },
    ]
  },

  async measure(wanted, { url }: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of wanted) figures[name] = { ns: await timeOfHit(ways[name]!.open(url)) }
    return figures
  },
}

async function timeOfHit({ read, fill = read, close }: ReturnType<Way['open']>): Promise<number> {
  const keys = Array.from({ length: count }, (_, i) => `user:${i}`)
  for (const key of keys) await fill(key)
  let at = 0
  const ns = await nanoseconds(async (often) => {
    for (let i = 0; i < often; i++) {
      if ((await read(keys[at]!)) === undefined) throw new Error('a read found nothing')
      if (++at === count) at = 0
    }
  })
  await close?.()
  return ns
}
