/*
 * LexRank (Erkan and Radev 2004) with a bias towards the question (Otterbacher, Erkan and Radev 2005). Sentences vote
 * for sentences that resemble them; a reader who walks from sentence to sentence along these votes, and now and then
 * jumps to one that fits the question, is found most often at the sentences that are central to an answer.
 */
import { type Pace, quietPace } from './pace.js'

/** What LexRank compares: sentence `i` as a sparse row of term weights and as a dense row of meaning. */
export interface SentenceVectors {
  readonly count: number
  /** Term numbers and weights of each sentence, of length one together. */
  readonly terms: readonly { readonly ids: Uint32Array; readonly weights: Float32Array }[]
  /** `count` rows of `dimensions` numbers, each row of length one. */
  readonly meanings: Float32Array
  readonly dimensions: number
}

/** How much two sentences resemble each other, row by row in one array: half by words, half by meaning. */
export async function similarities(vectors: SentenceVectors, pace: Pace = quietPace): Promise<Float32Array> {
  const { count, terms, meanings, dimensions } = vectors
  const byTerm = new Map<number, { sentence: number; weight: number }[]>()
  for (const [sentence, { ids, weights }] of terms.entries()) {
    for (const [i, id] of ids.entries()) {
      const list = byTerm.get(id) ?? []
      if (list.length === 0) byTerm.set(id, list)
      list.push({ sentence, weight: weights[i]! })
    }
  }
  const matrix = new Float32Array(count * count)
  for (let a = 0; a < count; a++) {
    if (a % 64 === 0) await pace(a, count)
    const row = matrix.subarray(a * count, (a + 1) * count)
    const { ids, weights } = terms[a]!
    for (const [i, id] of ids.entries()) {
      for (const { sentence, weight } of byTerm.get(id)!) row[sentence]! += 0.5 * weights[i]! * weight
    }
    for (let b = a + 1; b < count; b++) {
      const cosine = dot(meanings, a * dimensions, b * dimensions, dimensions)
      if (cosine <= 0) continue
      row[b]! += 0.5 * cosine
      matrix[b * count + a]! += 0.5 * cosine
    }
    row[a] = 0
  }
  return matrix
}

/** The product of two rows of one array. Four sums at a time, as each addition would otherwise wait for the last. */
function dot(rows: Float32Array, a: number, b: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < length; i += 4) {
    s0 += rows[a + i]! * rows[b + i]!
    s1 += rows[a + i + 1]! * rows[b + i + 1]!
    s2 += rows[a + i + 2]! * rows[b + i + 2]!
    s3 += rows[a + i + 3]! * rows[b + i + 3]!
  }
  for (; i < length; i++) s0 += rows[a + i]! * rows[b + i]!
  return s0 + s1 + s2 + s3
}

const threshold = 0.15
const bias = 0.3
const rounds = 30
const enough = 1e-4

/**
 * How central each sentence is, the highest 1.
 *
 * @param matrix How much each sentence resembles each other one; see {@link similarities}.
 * @param relevance How well each sentence fits the question, not negative.
 */
export async function lexRank(
  matrix: Float32Array,
  relevance: Float64Array,
  pace: Pace = quietPace,
): Promise<Float64Array> {
  const count = relevance.length
  const total = relevance.reduce((sum, value) => sum + value, 0)
  const jump = relevance.map((value) => (total > 0 ? value / total : 1 / count))
  const votes = new Float64Array(count)
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      const vote = matrix[a * count + b]!
      if (vote >= threshold) votes[a]! += vote
    }
  }
  let rank = Float64Array.from(jump)
  for (let round = 0; round < rounds; round++) {
    const next = jump.map((value) => bias * value)
    for (let a = 0; a < count; a++) {
      if (a % 256 === 0) await pace(round * count + a, rounds * count)
      // A sentence that resembles no other gives its whole vote back to the question.
      const share = votes[a] === 0 ? 0 : ((1 - bias) * rank[a]!) / votes[a]!
      if (share === 0) continue
      for (let b = 0; b < count; b++) {
        const vote = matrix[a * count + b]!
        if (vote >= threshold) next[b]! += share * vote
      }
    }
    const change = next.reduce((sum, value, i) => sum + Math.abs(value - rank[i]!), 0)
    rank = next
    if (change < enough) break
  }
  const highest = rank.reduce((a, b) => Math.max(a, b), 0)
  return highest === 0 ? rank : rank.map((value) => value / highest)
}
