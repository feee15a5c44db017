/*
 * Latent semantic analysis: words that keep the same company end up close together, so that "evict" finds "remove".
 *
 * It is a truncated singular value decomposition of the chunk-by-term matrix A, computed the randomised way (Halko,
 * Martinsson, Tropp 2011): start with a random basis, push it through A and its transpose a few times, orthonormalise
 * in between. What remains spans the strongest directions of A. Only cosines are asked of the vectors, and a cosine
 * does not change when the basis is turned, so the small decomposition that usually ends the method is left out.
 */
import { type Pace, quietPace } from './pace.js'
import { seededRandom } from './seeded-random.js'

/** A sparse matrix by rows: row `i` holds `values[k]` at `columns[k]` for `k` from `starts[i]` up to `starts[i + 1]`. */
export interface SparseMatrix {
  readonly rows: number
  readonly columnCount: number
  readonly starts: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float32Array
}

/** Where terms and chunks stand in a space of a few dimensions. */
export interface Embedding {
  readonly dimensions: number
  /** One row per term, `dimensions` long. */
  readonly terms: Float32Array
  /** One row per chunk, of length one. */
  readonly chunks: Float32Array
}

const rounds = 2

/** Embeds terms (columns) and chunks (rows). The same matrix and seed give the same numbers. */
export async function embed(
  matrix: SparseMatrix,
  options: { readonly dimensions: number; readonly seed: number; readonly pace?: Pace },
): Promise<Embedding> {
  const { seed, pace = quietPace } = options
  const dimensions = Math.max(1, Math.min(options.dimensions, matrix.rows, matrix.columnCount))
  const total = (2 * rounds + 1) * dimensions
  let done = 0
  const step = async (): Promise<void> => {
    if (++done % 8 === 0) await pace(done, total)
  }
  const random = seededRandom(seed)
  const basis = Array.from({ length: dimensions }, () =>
    Float64Array.from({ length: matrix.columnCount }, () => random() - 0.5),
  )
  const image = basis.map(() => new Float64Array(matrix.rows))
  for (let round = 0; round < rounds; round++) {
    for (let d = 0; d < dimensions; d++) {
      multiply(matrix, at(basis, d), at(image, d))
      await step()
    }
    // Once a round is enough: what a single push through A and back loses is far from what a double can hold.
    for (let d = 0; d < dimensions; d++) {
      multiplyTransposed(matrix, at(image, d), at(basis, d))
      orthonormalise(basis, d)
      await step()
    }
  }
  for (let d = 0; d < dimensions; d++) {
    multiply(matrix, at(basis, d), at(image, d))
    await step()
  }
  return { dimensions, terms: rowsOf(basis), chunks: unitRows(rowsOf(image), dimensions) }
}

/** The place of a weighted set of terms, as a vector of length one; all zeros if no term has a place. */
export function place(
  embedding: Embedding,
  termIds: ArrayLike<number>,
  weights: ArrayLike<number>,
): Float32Array {
  const { dimensions, terms } = embedding
  const vector = new Float32Array(dimensions)
  for (let i = 0; i < termIds.length; i++) {
    const offset = (termIds[i] as number) * dimensions
    const weight = weights[i] as number
    for (let d = 0; d < dimensions; d++) vector[d]! += weight * terms[offset + d]!
  }
  return unitRows(vector, dimensions)
}

function multiply(
  { rows, starts, columns, values }: SparseMatrix,
  vector: Float64Array,
  out: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let k = starts[row]!; k < starts[row + 1]!; k++) sum += values[k]! * vector[columns[k]!]!
    out[row] = sum
  }
}

function multiplyTransposed(matrix: SparseMatrix, vector: Float64Array, out: Float64Array): void {
  const { rows, starts, columns, values } = matrix
  out.fill(0)
  for (let row = 0; row < rows; row++) {
    const weight = vector[row]!
    for (let k = starts[row]!; k < starts[row + 1]!; k++) out[columns[k]!]! += values[k]! * weight
  }
}

/** Makes vector `d` orthogonal to those before it, and of length one. */
function orthonormalise(vectors: readonly Float64Array[], d: number): void {
  const vector = at(vectors, d)
  const before = norm(vector)
  takeAway(vectors, d)
  let length = norm(vector)
  if (length < before / 10) {
    // Most of it went, and rounding errors weigh in what is left: once more.
    takeAway(vectors, d)
    length = norm(vector)
  }
  // What is only rounding noise is no direction: the matrix has fewer independent ones than were asked for.
  if (length <= before * 1e-9 || length === 0) vector.fill(0)
  else for (let i = 0; i < vector.length; i++) vector[i]! /= length
}

/** Takes from vector `d` what lies in the directions of those before it. */
function takeAway(vectors: readonly Float64Array[], d: number): void {
  const vector = at(vectors, d)
  for (let other = 0; other < d; other++) {
    const unit = at(vectors, other)
    const share = dot(vector, unit)
    for (let i = 0; i < vector.length; i++) vector[i]! -= share * unit[i]!
  }
}

function rowsOf(columns: readonly Float64Array[]): Float32Array {
  const width = columns.length
  const height = columns[0]?.length ?? 0
  const rows = new Float32Array(width * height)
  for (const [d, column] of columns.entries())
    for (let i = 0; i < height; i++) rows[i * width + d] = column[i]!
  return rows
}

function unitRows(rows: Float32Array, width: number): Float32Array {
  for (let start = 0; start < rows.length; start += width) {
    let squares = 0
    for (let i = start; i < start + width; i++) squares += rows[i]! * rows[i]!
    const length = Math.sqrt(squares)
    if (length > 0) for (let i = start; i < start + width; i++) rows[i]! /= length
  }
  return rows
}

/** Four sums at a time, as each addition would otherwise wait for the one before: three times as fast. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!
    s1 += a[i + 1]! * b[i + 1]!
    s2 += a[i + 2]! * b[i + 2]!
    s3 += a[i + 3]! * b[i + 3]!
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!
  return s0 + s1 + s2 + s3
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector))
}

function at(vectors: readonly Float64Array[], i: number): Float64Array {
  return vectors[i] as Float64Array
}
