import { answerForm } from './answer-form.js'
import type { SearchIndex } from './build-index.js'
import type { Chunk } from './document.js'
import { place } from './embed.js'
import { lexRank, similarities } from './lexrank.js'
import { type Pace, partOf, quietPace } from './pace.js'
import type { Query } from './question.js'
import type { Hit } from './retrieve.js'
import { readability, splitSentences } from './sentences.js'
import { terms } from './words.js'

/** An answer made of sentences that stand in the documents, word for word. */
export interface Brief {
  readonly sentences: readonly { readonly text: string; readonly source: number }[]
  /** Where the sentences stand; sentence `source` numbers count from 1. */
  readonly sources: readonly Source[]
  /** How many sentences were weighed. */
  readonly weighed: number
  /** How much of the question the sentences and their headings cover, 0 to 1. Low means: not much is written about it. */
  readonly coverage: number
}

/** One place that sentences were taken from. */
export interface Source {
  readonly package: string
  readonly version: string
  readonly file: string
  readonly headings: readonly string[]
}

/** Changes whenever the same passages would give another brief. */
export const briefVersion = '1'

interface Candidate {
  readonly text: string
  readonly chunk: number
  /** Its place in the chunk, so that what follows it can be told. */
  readonly position: number
  readonly hit: number
  /** What goes without saying where it stands: its package in full, the words of its headings in part. */
  readonly context: ReadonlyMap<number, number>
  readonly quality: number
  readonly ids: Uint32Array
  readonly weights: Float32Array
}

const maxCandidates = 2000
const redundancy = 0.55
/** Sentences that resemble each other this much say the same; often they come from two versions of one README. */
const sameThing = 0.85
/** After three sentences, one must be worth this share of the first to be added. */
const worthAdding = 0.5

/**
 * Chooses the sentences that answer best: LexRank over all sentences of the passages, biased towards the question, and
 * then one after the other with as little repetition as possible (maximal marginal relevance). It quotes; it does not
 * write: an extractive brief, no language model.
 */
export async function writeBrief(
  index: SearchIndex,
  query: Query,
  hits: readonly Hit[],
  length: number,
  pace: Pace = quietPace,
): Promise<Brief> {
  const candidates = await gather(index, hits, partOf(pace, 0, 0.3))
  const { dimensions } = index.embedding
  const meanings = new Float32Array(candidates.length * dimensions)
  for (const [i, { ids, weights }] of candidates.entries()) {
    meanings.set(place(index.embedding, ids, weights), i * dimensions)
  }
  const vectors = { count: candidates.length, terms: candidates, meanings, dimensions }
  const relevance = Float64Array.from(candidates, (candidate, i) =>
    relevanceOf(candidate, query, meanings.subarray(i * dimensions, (i + 1) * dimensions)),
  )
  const resemblance = await similarities(vectors, partOf(pace, 0.3, 0.8))
  const squared = relevance.map((value) => value ** 2)
  const centrality = await lexRank(resemblance, squared, partOf(pace, 0.8, 1))
  const worth = Float64Array.from(candidates, ({ quality, text }, i) => {
    const standing = relevance[i]! * (0.6 + 0.4 * centrality[i]!)
    return standing * quality * answerForm(query.kind, text)
  })
  const chosen = choose(worth, resemblance, length)
  return present(index, query, candidates, chosen)
}

async function gather(index: SearchIndex, hits: readonly Hit[], pace: Pace): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  const seen = new Set<string>()
  for (const [i, { chunk, score }] of hits.entries()) {
    if (i % 32 === 0) await pace(i, hits.length)
    let position = 0
    const context = contextOf(index.chunks[chunk]!, index)
    for (const block of index.chunks[chunk]!.blocks) {
      for (const text of splitSentences(block)) {
        position++
        const quality = readability(text)
        if (quality === 0 || seen.has(text)) continue
        seen.add(text)
        const vector = weigh(text, index)
        if (vector.ids.length < 2) continue
        candidates.push({ text, chunk, position, hit: score, context, quality, ...vector })
        if (candidates.length === maxCandidates) return candidates
      }
    }
  }
  return candidates
}

function contextOf({ document, headings }: Chunk, { termIds }: SearchIndex): Map<number, number> {
  const context = new Map<number, number>()
  const add = (text: string, share: number): void => {
    for (const term of terms(text)) {
      const id = termIds.get(term)
      if (id !== undefined) context.set(id, share)
    }
  }
  for (const heading of headings) add(heading, 0.5)
  add(document.package, 1)
  return context
}

function weigh(text: string, { termIds, idf }: SearchIndex): { ids: Uint32Array; weights: Float32Array } {
  const counts = new Map<number, number>()
  for (const term of terms(text)) {
    const id = termIds.get(term)
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const ids = Uint32Array.from(counts.keys())
  const weights = Float32Array.from(counts, ([id, count]) => (1 + Math.log(count)) * idf[id]!)
  const norm = Math.hypot(...weights)
  return { ids, weights: weights.map((weight) => weight / norm) }
}

/** How well a sentence fits: the share of the question that it covers, its meaning, and the passage it stands in. */
function relevanceOf({ ids, context, hit }: Candidate, query: Query, meaning: Float32Array): number {
  const has = new Set(ids)
  let covered = 0
  let asked = 0
  for (const [i, id] of query.termIds.entries()) {
    asked += query.weights[i]!
    covered += query.weights[i]! * Math.max(has.has(id) ? 1 : 0, context.get(id) ?? 0)
  }
  let cosine = 0
  for (let d = 0; d < meaning.length; d++) cosine += meaning[d]! * query.vector[d]!
  return 0.35 * (covered / asked) + 0.25 * Math.max(0, cosine) + 0.4 * hit
}

/** Takes the worthiest sentence again and again, each time discounting what resembles those already taken. */
function choose(worth: Float64Array, resemblance: Float32Array, length: number): number[] {
  const count = worth.length
  const chosen: number[] = []
  const repeats = new Float64Array(count)
  while (chosen.length < length) {
    let best = -1
    let bestScore = 0
    for (let i = 0; i < count; i++) {
      if (repeats[i]! > sameThing || chosen.includes(i)) continue
      const score = worth[i]! * (1 - redundancy * repeats[i]!)
      if (score > bestScore) [best, bestScore] = [i, score]
    }
    if (best === -1 || (chosen.length >= 3 && bestScore < worthAdding * worth[chosen[0]!]!)) break
    chosen.push(best)
    for (let i = 0; i < count; i++) repeats[i] = Math.max(repeats[i]!, resemblance[best * count + i]!)
  }
  return chosen
}

/** Puts the sentences of one passage together, in the order they stand there; the best passage first. */
function present(
  index: SearchIndex,
  query: Query,
  candidates: readonly Candidate[],
  chosen: readonly number[],
): Brief {
  const order = new Map<number, number>()
  for (const i of chosen) {
    const { chunk } = candidates[i]!
    if (!order.has(chunk)) order.set(chunk, order.size + 1)
  }
  const sorted = chosen
    .map((i) => candidates[i]!)
    .toSorted((a, b) => order.get(a.chunk)! - order.get(b.chunk)! || a.position - b.position)
  const sources = [...order.keys()].map((chunk): Source => {
    const { document, headings } = index.chunks[chunk]!
    return { package: document.package, version: document.version, file: document.file, headings }
  })
  const covered = new Map(
    sorted.flatMap(({ ids, context }) => [...context, ...[...ids].map((id) => [id, 1] as const)]),
  )
  const asked = query.weights.reduce((sum, weight) => sum + weight, 0)
  const answered = query.termIds.reduce((sum, id, i) => sum + query.weights[i]! * (covered.get(id) ?? 0), 0)
  return {
    sentences: sorted.map(({ text, chunk }) => ({ text, source: order.get(chunk)! })),
    sources,
    weighed: candidates.length,
    coverage: asked === 0 ? 0 : (answered / asked) * query.coverage,
  }
}
