import { createEntry } from '@flow-cache/core'
import { sameEachTime } from './hit-ratio/same-each-time.js'
import { InMemoryCache, memoryStore, type Policy } from '@flow-cache/memory'
import type { Asked, Figures, Question, Round } from './question.js'
import { legend, nanos, type Section, targets, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { nanoseconds, type Repeat } from './timing.js'

interface Parameters {
  readonly entries: number
}

const names = ['lru', 'adaptive'] as const satisfies readonly Policy[]
const sizes = [1_000, 10_000, 100_000]
const figures = {
  mixed: '`getOrSet`, hits and misses',
  hit: '`getOrSet`, hits',
  storeMixed: 'store alone, hits and misses',
  storeHit: 'store alone, hits',
} as const

/** What choosing well costs. */
export const policy: Question<Policy> = {
  text: `What does \`policy: 'adaptive'\` cost beside \`'lru'\`, at equal capacity? Keys by Zipf (0.9) out of four times as many as there is room for; each policy has the misses it brings upon itself, which a loader answers that takes no time. Then only keys that are there. Through \`InMemoryCache\`, awaited, and the store alone. Each policy in a process of its own.`,

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    const sections: Section[] = []
    let worst = 0
    for (const entries of sizes) {
      const results = await alone({ question: 'policy', names, parameters: { entries } }, rounds)
      worst = Math.max(worst, ratio(results, 'adaptive', 'lru', 'mixed').median)
      sections.push({
        title: `${entries.toLocaleString('en')} entries`,
        head: ['', 'as a multiple of lru', 'lru', 'adaptive'],
        rows: Object.entries(figures).map(([figure, label]) => [
          label,
          times(ratio(results, 'adaptive', 'lru', figure)),
          nanos(summary(results, 'lru', figure)),
          nanos(summary(results, 'adaptive', figure)),
        ]),
        note: legend(rounds),
      })
    }
    return [
      ...sections,
      targets([{ what: 'get-or-set, the worst size', limit: 1.3, measured: worst, unit: '×' }]),
    ]
  },

  async measure(asked, { entries }: Parameters): Promise<Round> {
    const round: Record<string, Figures> = {}
    for (const name of asked)
      round[name] = { ...(await ofCache(name, entries)), ...(await ofStore(name, entries)) }
    return round
  },
}

async function ofCache(name: Policy, entries: number): Promise<Figures> {
  await using cache = new InMemoryCache({ policy: name, maxEntries: entries, ttl: '1h' })
  const load = (): Promise<boolean> => Promise.resolve(true)
  const over = (keys: readonly string[]): Repeat => {
    let at = 0
    return async (count) => {
      for (let i = 0; i < count; i++) {
        await cache.getOrSet(keys[at]!, load)
        if (++at === keys.length) at = 0
      }
    }
  }
  return await time('mixed', 'hit', entries, over)
}

async function ofStore(name: Policy, entries: number): Promise<Figures> {
  const store = memoryStore({ policy: name, maxEntries: entries, sweepInterval: Infinity })
  const get = store.local!.get
  const createdAt = Date.now()
  const over = (keys: readonly string[]): Repeat => {
    let at = 0
    return (count) => {
      for (let i = 0; i < count; i++) {
        const key = keys[at]!
        if (get(key) === undefined)
          void store.set(key, createEntry({ value: key, createdAt, ttl: 3_600_000 }))
        if (++at === keys.length) at = 0
      }
    }
  }
  return time('storeMixed', 'storeHit', entries, over)
}

async function time(
  mixed: string,
  hit: string,
  entries: number,
  over: (keys: readonly string[]) => Repeat,
): Promise<Figures> {
  const keys = zipf(4 * entries, Math.max(200_000, 8 * entries))
  const repeat = over(keys)
  await repeat(keys.length)
  const whole = await nanoseconds(repeat)
  const few = [...new Set(keys)].slice(0, entries >> 1)
  const again = over(Array.from({ length: 16 * few.length }, (_, i) => few[(i * 7_919) % few.length]!))
  await again(32 * few.length)
  return { [mixed]: whole, [hit]: await nanoseconds(again) }
}

/** Requests for keys of which the n-th is asked for in proportion to 1 / n^0.9. */
function zipf(keys: number, requests: number): string[] {
  const names = Array.from({ length: keys }, (_, i) => `user:${(i * 7_919) % keys}:profile`)
  const sums = new Float64Array(keys)
  let sum = 0
  for (let i = 0; i < keys; i++) sums[i] = sum += (i + 1) ** -0.9
  const random = sameEachTime()
  return Array.from({ length: requests }, () => {
    const wanted = random() * sum
    let low = 0
    let high = keys - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return names[low]!
  })
}
