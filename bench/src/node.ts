import { createHash } from 'node:crypto'
import { keyOf } from '@flow-cache/core'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheNode, defineNode, runNode } from '@flow-cache/node'
import type { Question } from './question.js'
import { legend, nanos, type Section, times } from './report.js'
import { summaryOf } from './statistics.js'
import { nanoseconds } from './timing.js'

const sizes = { '1 kB': 1_000, '10 kB': 10_000, '100 kB': 100_000, '1 MB': 950_000 } as const
const chunks = 1_000
const readers = 20

/** What caching a workflow's node costs. */
export const node: Question<never> = {
  text: `What does a hit of a cached node cost beside a hit of \`getOrSet\`, its key included? The input is a list of messages, as a chat has them. Beside it: \`JSON.stringify\` and SHA-256 of the same input, which is the least that a key can cost, and \`keyOf\` alone. Then streams of ${chunks.toLocaleString('en')} chunks: one replayed, and ${readers} readers at once of one run.`,

  async ask({ rounds }): Promise<readonly Section[]> {
    const rows: string[][] = []
    for (const [name, size] of Object.entries(sizes)) rows.push([name, ...(await hit(size, rounds))])
    return [
      {
        title: 'Time of a hit, and of what it is made of',
        head: ['input', 'node over `getOrSet`', 'JSON and SHA-256', 'ratio', '`keyOf` alone', '`getOrSet`'],
        rows,
        note: legend(rounds),
      },
      {
        title: `A stream of ${chunks.toLocaleString('en')} chunks`,
        head: ['', 'time', 'a chunk'],
        rows: await streams(rounds),
        note: legend(rounds),
      },
    ]
  },
}

async function hit(size: number, rounds: number): Promise<string[]> {
  const input = messages(size)
  await using cache = new InMemoryCache()
  const cached = cacheNode(
    defineNode('answer', () => 'an answer'),
    { cache, scope: { tenant: 'a' } },
  )
  await runNode(cached, input)
  const { key } = await cached.explain(input)
  const took: Record<'plain' | 'whole' | 'digest' | 'key', number[]> = {
    plain: [],
    whole: [],
    digest: [],
    key: [],
  }
  for (let round = 0; round < rounds; round++) {
    took.plain.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) await cache.getOrSet(key, () => 0)
      }),
    )
    took.whole.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) await runNode(cached, input)
      }),
    )
    took.digest.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) createHash('sha256').update(JSON.stringify(input)).digest('base64url')
      }),
    )
    took.key.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) keyOf(input)
      }),
    )
  }
  if (cached.report().misses !== 1) throw new Error('a hit was none')
  const over = took.whole.map((ns, i) => ns - took.plain[i]!)
  const ratios = over.map((ns, i) => ns / took.digest[i]!)
  return [
    nanos(summaryOf(over)),
    nanos(summaryOf(took.digest)),
    times(summaryOf(ratios)),
    nanos(summaryOf(took.key)),
    nanos(summaryOf(took.plain)),
  ]
}

async function streams(rounds: number): Promise<string[][]> {
  await using cache = new InMemoryCache()
  const source = defineNode('stream', async function () {
    return (async function* () {
      for (let i = 0; i < chunks; i++) yield { type: 'text-delta', delta: `word ${i} ` }
    })()
  })
  const cached = cacheNode(source, { cache, scope: 'global' })
  const read = async (input: number): Promise<void> => {
    const result = await runNode(cached, input)
    if (!result.success) throw new Error(result.error.message)
    let count = 0
    for await (const _ of result.output) count++
    if (count !== chunks) throw new Error(`${count} chunks`)
  }
  await read(0)
  await cache.drain()
  const replayed: number[] = []
  const together: number[] = []
  let input = 0
  for (let round = 0; round < rounds; round++) {
    replayed.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) await read(0)
      }),
    )
    together.push(
      await nanoseconds(async (times) => {
        for (let i = 0; i < times; i++) {
          input++
          await Promise.all(Array.from({ length: readers }, async () => read(input)))
        }
      }),
    )
  }
  const row = (name: string, all: readonly number[], count: number): string[] => [
    name,
    nanos(summaryOf(all)),
    nanos(summaryOf(all.map((ns) => ns / count))),
  ]
  return [
    row('one, replayed', replayed, chunks),
    row(`${readers} readers of one run`, together, chunks * readers),
  ]
}

function messages(size: number): { messages: { role: string; content: string }[]; model: string } {
  const content = 'The quick brown fox jumps over the lazy dog, and "that" was that. '.repeat(3)
  const count = Math.max(1, Math.round(size / (content.length + 40)))
  return {
    model: 'm',
    messages: Array.from({ length: count }, (_, i) => ({ role: 'user', content: `${i} ${content}` })),
  }
}
