import { setTimeout as pause } from 'node:timers/promises'
import { InMemoryCache } from '@flow-cache/memory'
import { LRUCache } from 'lru-cache'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, targets, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { summaryOf } from './statistics.js'
import { nanoseconds } from './timing.js'

interface Parameters {
  readonly entries: number
}

const names = ['Map', 'lru-cache', 'flow-cache'] as const
type Name = (typeof names)[number]
const sizes = [1_000, 10_000, 100_000, 1_000_000]
const ttl = 300_000

/** What is measured, and how the table calls it. */
const figures = {
  hit: 'a hit',
  inOrder: 'a hit, in the order in which keys were written',
  set: '`set` of a key that is there',
  evict: '`set` of a new key, which evicts one',
} as const
type FigureName = keyof typeof figures

/** How the cost of a call grows with the number of entries. */
export const growth: Question<Name> = {
  text: 'How does the cost of a call grow with what is held? Keys are read and written in an order that jumps about, so that the processor cannot foresee it and memory is always far; once also in the order in which they were written, so that it is near. Applications are between. Beside it stand lru-cache with a ttl, and a bare `Map`, which nothing that has keys can be faster than: what memory further away costs them, it costs everybody. Then what ends many entries at once, and how long a hit waits while a million entries are held and others are written.',

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const asked = names.filter((name) => takesPart(name))
    const results: Round[][] = []
    for (const entries of sizes) {
      results.push(await alone({ question: 'growth', names: asked, parameters: { entries } }, rounds))
    }
    const sections: Section[] = Object.entries(figures).map(([figure, head]) => ({
      title: head,
      head: ['', ...sizes.map((entries) => entries.toLocaleString('en')), '1 M over 10 k'],
      rows: asked
        // A bare `Map` evicts nothing.
        .filter((name) => figure !== 'evict' || name !== 'Map')
        .map((name) => rowOf(results, name, figure)),
      note: legend(rounds),
    }))
    if (asked.length < names.length) return sections
    const most = results.at(-1)!
    return [
      ...sections,
      {
        title: 'At a million entries, as a multiple of lru-cache',
        head: ['', 'ratio'],
        rows: Object.entries(figures).map(([figure, head]) => [
          head,
          times(ratio(most, 'flow-cache', 'lru-cache', figure)),
        ]),
      },
      {
        title: 'Ending all entries at once',
        head: ['', ...sizes.map((entries) => entries.toLocaleString('en'))],
        rows: [
          [
            '`invalidateTags` of a tag that all of them have',
            ...results.map((all) => nanos(summary(all, 'flow-cache', 'invalidate'))),
          ],
          ['`clear` of their namespace', ...results.map((all) => nanos(summary(all, 'flow-cache', 'clear')))],
        ],
        note: 'The median of eleven calls, of which the first ends them all; the least of the rounds.',
      },
      {
        title: 'How long a hit takes beside 20,000 writes a second, a million entries held',
        head: ['', 'p50', 'p99', 'the longest'],
        rows: asked
          .slice(1)
          .map((name) => [
            name,
            nanos(summary(most, name, 'p50')),
            nanos(summary(most, name, 'p99')),
            nanos(summary(most, name, 'longest')),
          ]),
        note: 'Garbage collection included. Writes and hits alternate in batches, as requests do.',
      },
      targets([
        {
          what: 'a hit at a million, over one at 10,000',
          limit: 2,
          unit: '×',
          measured: growthOf(results, 'flow-cache', 'hit'),
        },
        {
          what: 'the same, in the order in which keys were written',
          limit: 2,
          unit: '×',
          measured: growthOf(results, 'flow-cache', 'inOrder'),
        },
        {
          what: 'the first, as a multiple of what it is for a bare `Map`',
          limit: 2,
          unit: '×',
          measured: growthOf(results, 'flow-cache', 'hit') / growthOf(results, 'Map', 'hit'),
        },
      ]),
    ]
  },

  async measure(wanted, { entries }: Parameters): Promise<Round> {
    const round: Record<string, Figures> = {}
    for (const name of wanted) round[name] = await measured(name, entries)
    return round
  },
}

function rowOf(results: readonly Round[][], name: Name, figure: string): string[] {
  const grown = results.map((all) => nanos(summary(all, name, figure)))
  return [name, ...grown, `${growthOf(results, name, figure).toFixed(2)}×`]
}

function growthOf(results: readonly Round[][], name: Name, figure: string): number {
  return summary(results[3]!, name, figure).median / summary(results[1]!, name, figure).median
}

/** What both caches can be asked for. */
interface Subject {
  get(key: string): unknown
  set(key: string, value: number): unknown
}

async function measured(name: Name, entries: number): Promise<Figures> {
  const keys = Array.from({ length: 2 * entries }, (_, i) => `user:${i}`)
  const cache = name === 'flow-cache' ? new InMemoryCache({ maxEntries: entries, ttl }) : undefined
  const subject: Subject =
    cache ??
    (name === 'Map' ? new Map<string, number>() : new LRUCache<string, number>({ max: entries, ttl }))
  for (let i = 0; i < entries; i++) await subject.set(keys[i]!, i)
  const found: Record<string, number> = {
    hit: await each('hit', entries, (i) => subject.get(keys[i]!)),
    inOrder: await each('inOrder', entries, (i) => subject.get(keys[i]!), 1),
    set: await each('set', entries, (i) => subject.set(keys[i]!, i)),
    ...(name !== 'Map' && {
      ...(entries === sizes.at(-1) && (await waits(subject, keys, entries))),
      evict: await evicting(subject, keys),
    }),
  }
  if (cache !== undefined) Object.assign(found, await ending(entries))
  await cache?.close()
  return found
}

/** Coprime to every size: it comes to each entry once before it comes to any again, and never to one beside the last. */
const jump = 618_033

/** The time of one call, over entries `step` apart. */
async function each(
  name: FigureName,
  entries: number,
  call: (i: number) => unknown,
  step = jump,
): Promise<number> {
  let at = 0
  return nanoseconds(async (often) => {
    for (let i = 0; i < often; i++) {
      at = (at + step) % entries
      if ((await call(at)) === undefined && name !== 'set') throw new Error('a read found nothing')
    }
  })
}

/** Writes keys in turn, twice as many as there is room for. */
async function evicting(subject: Subject, keys: readonly string[]): Promise<number> {
  let at = keys.length / 2
  return nanoseconds(async (often) => {
    for (let i = 0; i < often; i++) {
      await subject.set(keys[at]!, i)
      if (++at === keys.length) at = 0
    }
  })
}

/** How long hits take for two seconds, while entries are replaced. */
async function waits(
  subject: Subject,
  keys: readonly string[],
  entries: number,
): Promise<Record<'p50' | 'p99' | 'longest', number>> {
  const samples: number[] = []
  for (const end = performance.now() + 2_000; performance.now() < end;) {
    for (let i = 0; i < 20; i++) await subject.set(keys[Math.floor(Math.random() * entries)]!, i)
    for (let i = 0; i < 20; i++) {
      const key = keys[Math.floor(Math.random() * entries)]!
      const began = process.hrtime.bigint()
      await subject.get(key)
      samples.push(Number(process.hrtime.bigint() - began))
    }
    await pause(1)
  }
  samples.sort((one, other) => one - other)
  const at = (share: number): number =>
    samples[Math.min(samples.length - 1, Math.floor(share * samples.length))]!
  return { p50: at(0.5), p99: at(0.99), longest: at(1) }
}

async function ending(entries: number): Promise<Record<'invalidate' | 'clear', number>> {
  const cache = new InMemoryCache({ maxEntries: entries, ttl })
  const users = cache.namespace('users')
  for (let i = 0; i < entries; i++) await users.set(`${i}`, i, { tags: ['all'] })
  const time = async (call: () => Promise<unknown>): Promise<number> => {
    const took: number[] = []
    for (let i = 0; i < 11; i++) {
      const began = process.hrtime.bigint()
      await call()
      took.push(Number(process.hrtime.bigint() - began))
    }
    return summaryOf(took).median
  }
  const invalidate = await time(() => users.invalidateTags(['all']))
  if ((await users.get('7')) !== undefined) throw new Error('the tag ended nothing')
  await users.set('7', 7)
  const clear = await time(() => users.clear())
  if ((await users.get('7')) !== undefined) throw new Error('clear ended nothing')
  await cache.close()
  return { invalidate, clear }
}
