import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Journal } from '@flow-cache/core'
import { InMemoryCache } from '@flow-cache/memory'
import { memoryJournal, WriteBehindCache, type WriteBehindOptions } from '@flow-cache/strategies'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import type { Asked, Figures, Question, Round } from './question.js'
import { nanos, number, type Section, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'

const names = ['memoryJournal', 'fileJournal'] as const
type Name = (typeof names)[number]

/** How many operations are pending while it is measured. */
const sizes = [1_000, 10_000, 100_000, 1_000_000]
/** After how many writes it flushes. */
const flushes = [100, 1_000, 10_000, 100_000]
const pendingAtRead = 100_000

/** What write-behind costs and saves. */
export const writeBehind: Question<Name> = {
  text: `What does write-behind save and cost? How many writes reach the origin for each that was accepted, under a Zipf load (exponent 1) on 10,000 keys with a flush every so many writes. What a \`get\` costs of a key that is pending, among ${pendingAtRead} others. What one operation costs a journal, \`put\`, \`claim\`, \`ack\`, with more and more of them pending. The file journal with \`fsync: 'never'\`, so that it is not the disk that is measured. Less is better.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const asked = names.filter(takesPart)
    const results = await beside({ question: 'write-behind', names: asked, parameters: {} }, rounds)
    const saved = flushes.map((every) => number(summary(results, asked[0]!, `zipf${every}`).median))
    return [
      {
        title: 'Writes at the origin for each that was accepted',
        head: ['a flush every', ...flushes.map((every) => `${every} writes`)],
        rows: [['', ...saved]],
      },
      {
        title: 'A read of a pending key',
        head: ['', `among ${pendingAtRead} pending`, 'a hit in the cache, nothing pending'],
        rows: asked.map((name) => [
          name,
          nanos(summary(results, name, 'read')),
          nanos(summary(results, name, 'hit')),
        ]),
      },
      {
        title: 'One operation, as a multiple of the first column',
        head: ['pending', ...sizes.map(String), 'the first'],
        rows: [
          ...asked.map((name) => costs(results, name, 'cost')),
          costs(results, asked[0]!, 'map', 'a bare `Map`: `set`, `get`, `delete`'),
        ],
        note: `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. Times: the least of them.`,
      },
    ]
  },

  async measure(names): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) {
      const found: Record<string, number> = {}
      // Neither what is saved nor what a map costs depends on the journal.
      for (const size of sizes) found[`map${size}`] = await mapCost(size)
      for (const every of flushes) found[`zipf${every}`] = await zipf(every)
      await withJournal(name, async (journal) => Object.assign(found, await reads(journal)))
      for (const size of sizes) {
        await withJournal(name, async (journal) => (found[`cost${size}`] = await cost(journal, size)))
      }
      figures[name] = found
    }
    return figures
  },
}

function costs(results: readonly Round[], name: string, figure: 'cost' | 'map', label = name): string[] {
  const bySize = results.map((round) => spread(round, name, figure))
  const ratios = sizes.map((size) => times(ratio(bySize, String(size), String(sizes[0]), 'cost')))
  return [label, ...ratios, nanos(summary(results, name, `${figure}${sizes[0]}`))]
}

/** The costs of one contestant, as if each size were one. */
const spread = (round: Round, name: string, figure: string): Round =>
  Object.fromEntries(sizes.map((size) => [String(size), { cost: round[name]![`${figure}${size}`]! }]))

async function withJournal(name: Name, use: (journal: Journal) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-bench-'))
  const journal = name === 'memoryJournal' ? memoryJournal() : fileJournal(folder, { fsync: 'never' })
  await use(journal)
  await journal.close()
  await rm(folder, { recursive: true, force: true })
}

const origin: WriteBehindOptions<unknown>['origin'] = {
  read: () => undefined,
  write: () => undefined,
  delete: () => undefined,
  writeMany: () => undefined,
}

async function zipf(every: number): Promise<number> {
  const cache = new InMemoryCache({ maxEntries: 1_000 })
  const options = { cache, origin, flushInterval: '1h', maxPending: 1e6 } as const
  const behind = new WriteBehindCache(options)
  const weights = Array.from({ length: 10_000 }, (_, rank) => 1 / (rank + 1))
  const sums = weights.map(
    (
      (sum) => (weight: number) =>
        (sum += weight)
    )(0),
  )
  const total = sums.at(-1)!
  const draw = (): number => {
    const point = Math.random() * total
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < point) low = middle + 1
      else high = middle
    }
    return low
  }
  for (let n = 1; n <= 300_000; n++) {
    await behind.set(`k${draw()}`, n)
    if (n % every === 0) await behind.flush()
  }
  const { accepted, applied, pending } = await behind.stats()
  await behind.close()
  await cache.close()
  return (applied + pending) / accepted
}

async function reads(journal: Journal): Promise<Figures> {
  const cache = new InMemoryCache({ maxEntries: 10 })
  const value = { id: 1, name: 'user 1', text: 'x'.repeat(150), tags: ['a', 'b'] }
  const options = { cache, origin, journal, flushInterval: '1h', maxPending: 1e7 } as const
  const behind = new WriteBehindCache(options)
  await cache.set('hit', value)
  const hit = await timed(() => behind.get('hit'))
  await fill(journal, pendingAtRead, value)
  let n = 0
  const read = await timed(() => behind.get(`k${n++ % pendingAtRead}`))
  await behind.close({ deadline: 0 })
  await cache.close()
  return { hit, read }
}

/** What put, claim and ack of one operation cost together, with so many others pending. In nanoseconds. */
async function cost(journal: Journal, pending: number): Promise<number> {
  const value = { id: 1, name: 'user 1' }
  await fill(journal, pending, value)
  const batch = 100
  let next = pending
  return (
    (await timed(async () => {
      await Promise.all(
        Array.from({ length: batch }, () => journal.put(`k${next++}`, { kind: 'put', value }, 1e7)),
      )
      await journal.ack(await journal.claim(batch, 30_000))
    }, 20)) / batch
  )
}

/** What the same keys cost a map with as many in it: how much of the growth is the machine's memory. */
async function mapCost(size: number): Promise<number> {
  const map = new Map<string, unknown>()
  let next = 0
  let first = 0
  while (next < size) map.set(`k${next}`, { id: next++ })
  const batch = 100
  const cost = await timed(async () => {
    for (let n = 0; n < batch; n++) {
      map.set(`k${next}`, { id: next++ })
      const oldest = `k${first++}`
      if (map.get(oldest) !== undefined) map.delete(oldest)
    }
  }, 20)
  return cost / batch
}

async function fill(journal: Journal, count: number, value: unknown): Promise<void> {
  for (let n = 0; n < count; n += 1_000) {
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => journal.put(`k${n + i}`, { kind: 'put', value }, 1e7)),
    )
  }
}

/** The least time of eleven batches after one to warm up, in nanoseconds a call. */
async function timed(call: () => PromiseLike<unknown>, calls = 20_000): Promise<number> {
  let least = Infinity
  for (let round = 0; round < 12; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) await call()
    if (round > 0) least = Math.min(least, performance.now() - start)
  }
  return (least * 1e6) / calls
}
