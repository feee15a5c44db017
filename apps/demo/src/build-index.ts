import type { Chunk } from './document.js'
import { embed, type Embedding, type SparseMatrix } from './embed.js'
import { type Pace, partOf, quietPace } from './pace.js'
import { terms } from './words.js'

/** Everything a question is looked up in. Plain data, so that any store can keep it. */
export interface SearchIndex {
  readonly chunks: readonly Chunk[]
  /** The number of each term. */
  readonly termIds: ReadonlyMap<string, number>
  /** How much each term tells: the rarer, the more. */
  readonly idf: Float32Array
  /** How often each term stands in each chunk, headings and package name counted several times; rows are chunks. */
  readonly counts: SparseMatrix
  /** The same by terms: rows are terms. */
  readonly postings: SparseMatrix
  readonly embedding: Embedding
}

export interface IndexOptions {
  readonly dimensions: number
  readonly seed: number
}

/** Changes whenever the same chunks would give another index. */
export const indexVersion = '1'

export const defaultIndexOptions: IndexOptions = Object.freeze({ dimensions: 96, seed: 1 })

const batchSize = 200
const headingWeight = 2
const packageWeight = 2
const referenceWeight = 0.3

/** Counts the terms of all chunks, weighs them, and embeds them with latent semantic analysis. */
export async function buildIndex(
  chunks: readonly Chunk[],
  { dimensions, seed }: IndexOptions = defaultIndexOptions,
  pace: Pace = quietPace,
): Promise<SearchIndex> {
  const termIds = new Map<string, number>()
  const rows: Map<number, number>[] = []
  const counting = partOf(pace, 0, 0.5)
  for (const [i, chunk] of chunks.entries()) {
    if (i % batchSize === 0) await counting(i, chunks.length)
    rows.push(countTerms(chunk, termIds))
  }
  const counts = sparse(rows, termIds.size)
  const postings = transpose(counts)
  const idf = inverseFrequencies(postings, chunks.length)
  const matrix = weigh(counts, postings, idf)
  const embedding = await embed(matrix, { dimensions, seed, pace: partOf(pace, 0.5, 1) })
  return { chunks, termIds, idf, counts, postings, embedding }
}

function countTerms(
  { blocks, headings, reference, document }: Chunk,
  termIds: Map<string, number>,
): Map<number, number> {
  const row = new Map<number, number>()
  const count = (text: string, weight: number): void => {
    for (const term of terms(text)) {
      let id = termIds.get(term)
      if (id === undefined) termIds.set(term, (id = termIds.size))
      row.set(id, (row.get(id) ?? 0) + weight)
    }
  }
  for (const block of blocks) count(block, 1)
  for (const [i, heading] of headings.entries()) count(heading, i === headings.length - 1 ? headingWeight : 1)
  count(document.package, packageWeight)
  count(reference, referenceWeight)
  return row
}

function sparse(rows: readonly ReadonlyMap<number, number>[], columnCount: number): SparseMatrix {
  const starts = new Uint32Array(rows.length + 1)
  for (const [i, row] of rows.entries()) starts[i + 1] = starts[i]! + row.size
  const columns = new Uint32Array(starts[rows.length]!)
  const values = new Float32Array(columns.length)
  let k = 0
  for (const row of rows) {
    for (const [column, value] of row) {
      columns[k] = column
      values[k++] = value
    }
  }
  return { rows: rows.length, columnCount, starts, columns, values }
}

function transpose({ rows, columnCount, starts, columns, values }: SparseMatrix): SparseMatrix {
  const newStarts = new Uint32Array(columnCount + 1)
  for (const column of columns) newStarts[column + 1]!++
  for (let i = 0; i < columnCount; i++) newStarts[i + 1]! += newStarts[i]!
  const next = newStarts.slice(0, columnCount)
  const newColumns = new Uint32Array(columns.length)
  const newValues = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let k = starts[row]!; k < starts[row + 1]!; k++) {
      const to = next[columns[k]!]!++
      newColumns[to] = row
      newValues[to] = values[k]!
    }
  }
  return { rows: columnCount, columnCount: rows, starts: newStarts, columns: newColumns, values: newValues }
}

function inverseFrequencies({ rows, starts }: SparseMatrix, chunkCount: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, term) => {
    const frequency = starts[term + 1]! - starts[term]!
    return Math.log(1 + (chunkCount - frequency + 0.5) / (frequency + 0.5))
  })
}

/** Term weights for the embedding: damped counts times idf, every chunk of length one. Terms of one chunk relate nothing. */
function weigh(counts: SparseMatrix, postings: SparseMatrix, idf: Float32Array): SparseMatrix {
  const values = new Float32Array(counts.values.length)
  for (let row = 0; row < counts.rows; row++) {
    let squares = 0
    for (let k = counts.starts[row]!; k < counts.starts[row + 1]!; k++) {
      const term = counts.columns[k]!
      const alone = postings.starts[term + 1]! - postings.starts[term]! < 2
      const weight = alone ? 0 : Math.log1p(counts.values[k]!) * idf[term]!
      values[k] = weight
      squares += weight * weight
    }
    const length = Math.sqrt(squares) || 1
    for (let k = counts.starts[row]!; k < counts.starts[row + 1]!; k++) values[k]! /= length
  }
  return { ...counts, values }
}
