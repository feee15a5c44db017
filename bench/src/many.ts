import { InMemoryCache } from '@flow-cache/memory'
import { LRUCache } from 'lru-cache'
import { ttl } from './contestant.js'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { nanoseconds } from './timing.js'

const names = ['lru-cache', 'flow-cache'] as const
type Name = (typeof names)[number]
const batch = 100
const callers = 100

/** What is measured, and for how many keys the time stands. */
const figures = {
  getMany: { head: '`getMany` of 100', per: batch },
  getOrSetMany: { head: '`getOrSetMany` of 100, all there', per: batch },
  fillMany: { head: '`getOrSetMany` of 100, none there', per: batch },
  coalesced: { head: '100 callers of one missing key', per: callers },
} as const
type FigureName = keyof typeof figures

/** What calls for many keys cost, and for many callers. */
export const many: Question<Name> = {
  text: 'What does a key cost in a call for many, and a caller among many of the same key? lru-cache has no calls for many: it is asked in a loop, with `fetch()` where something may be missing. The loader answers at once. Each in a process of its own.',

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    const results = await alone({ question: 'many', names, parameters: undefined }, rounds)
    return [
      {
        title: 'Time of a key or a caller, as a multiple of lru-cache',
        head: ['', 'ratio', 'lru-cache', 'flow-cache'],
        rows: (Object.keys(figures) as FigureName[]).map((name) => [
          figures[name].head,
          times(ratio(results, 'flow-cache', 'lru-cache', name)),
          nanos(summary(results, 'lru-cache', name)),
          nanos(summary(results, 'flow-cache', name)),
        ]),
        note: legend(rounds),
      },
    ]
  },

  async measure(wanted): Promise<Round> {
    const round: Record<string, Figures> = {}
    for (const name of wanted) round[name] = await (name === 'lru-cache' ? ofLru() : ofFlow())
    return round
  },
}

/** Calls the same for one batch of keys after the other, and answers with the time of each. */
async function each(name: FigureName, call: (keys: readonly string[]) => Promise<unknown>): Promise<number> {
  const all = Array.from({ length: 100 }, (_, part) =>
    Array.from({ length: batch }, (_, i) => `user:${part}:${i}`),
  )
  let at = 0
  const ns = await nanoseconds(async (often) => {
    for (let i = 0; i < often; i++) await call(all[at++ % all.length]!)
  })
  return ns / figures[name].per
}

const value = (key: string): { readonly id: string } => ({ id: key })

async function ofLru(): Promise<Figures> {
  const open = (max: number): LRUCache<string, {}> =>
    new LRUCache<string, {}>({ max, ttl, fetchMethod: async (key) => value(key) })
  const full = open(20_000)
  const fetchAll = (cache: LRUCache<string, {}>) => (keys: readonly string[]) =>
    Promise.all(keys.map((key) => cache.fetch(key)))
  await each('getOrSetMany', fetchAll(full))
  return {
    getMany: await each('getMany', async (keys) => new Map(keys.map((key) => [key, full.get(key)]))),
    getOrSetMany: await each('getOrSetMany', fetchAll(full)),
    // So few that nothing is there when its turn comes again.
    fillMany: await each('fillMany', fetchAll(open(batch))),
    coalesced: await each(
      'coalesced',
      crowd((key) => coalescing.fetch(key)),
    ),
  }
}
const coalescing = new LRUCache<string, {}>({ max: 10, ttl, fetchMethod: async (key) => value(key) })

async function ofFlow(): Promise<Figures> {
  const full = new InMemoryCache({ maxEntries: 20_000, ttl })
  const small = new InMemoryCache({ maxEntries: batch, ttl })
  const tiny = new InMemoryCache({ maxEntries: 10, ttl })
  const loadMany = async (keys: readonly string[]): Promise<unknown[]> => keys.map(value)
  await each('getOrSetMany', (keys) => full.getOrSetMany(keys, loadMany))
  const found = {
    getMany: await each('getMany', (keys) => full.getMany(keys)),
    getOrSetMany: await each('getOrSetMany', (keys) => full.getOrSetMany(keys, loadMany)),
    fillMany: await each('fillMany', (keys) => small.getOrSetMany(keys, loadMany)),
    coalesced: await each(
      'coalesced',
      crowd((key) => tiny.getOrSet(key, async () => value(key))),
    ),
  }
  await Promise.all([full.close(), small.close(), tiny.close()])
  return found
}

const crowd =
  (read: (key: string) => Promise<unknown>) =>
  ([key]: readonly string[]): Promise<unknown> =>
    Promise.all(Array.from({ length: callers }, async () => read(key!)))
