import type { SearchIndex } from './build-index.js'
import type { Query } from './question.js'
import { standing } from './standing.js'

/** A chunk and how well it fits, 1 for the best. */
export interface Hit {
  readonly chunk: number
  readonly score: number
}

const saturation = 1.2
const lengthShare = 0.75

/** The chunks that share words with the question, best first, by BM25. Takes milliseconds: not worth a cache. */
export function retrieve(index: SearchIndex, query: Query, limit: number): Hit[] {
  const { chunks, counts, postings, idf } = index
  const lengths = lengthsOf(index)
  const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, counts.rows)
  const scores = new Float64Array(chunks.length)
  for (const term of query.termIds) {
    for (let k = postings.starts[term]!; k < postings.starts[term + 1]!; k++) {
      const chunk = postings.columns[k]!
      const count = postings.values[k]!
      const norm = saturation * (1 - lengthShare + (lengthShare * lengths[chunk]!) / mean)
      scores[chunk]! += (idf[term]! * count * (saturation + 1)) / (count + norm)
    }
  }
  const standingOf = standing(query)
  const hits: Hit[] = []
  for (const [chunk, { document }] of chunks.entries()) {
    const score = scores[chunk]! * standingOf(document)
    if (score > 0) hits.push({ chunk, score })
  }
  hits.sort((a, b) => b.score - a.score || a.chunk - b.chunk)
  const best = hits[0]?.score ?? 1
  return hits.slice(0, limit).map(({ chunk, score }) => ({ chunk, score: score / best }))
}

function lengthsOf({ counts }: SearchIndex): Float64Array {
  const lengths = new Float64Array(counts.rows)
  for (let row = 0; row < counts.rows; row++) {
    for (let k = counts.starts[row]!; k < counts.starts[row + 1]!; k++) lengths[row]! += counts.values[k]!
  }
  return lengths
}
