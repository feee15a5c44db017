import { describe, expect, it } from 'vitest'
import { embed, type Embedding, place, type SparseMatrix } from '../src/embed.js'

/** Rows of terms: 0 and 1 keep the same company (2, which counts three times), 3 and 4 keep another (5). */
const matrix = sparse(6, [
  [0, 2],
  [1, 2],
  [0, 2],
  [1, 2],
  [3, 5],
  [4, 5],
  [3, 5],
  [4, 5],
])

describe('embed', () => {
  it('words in the same company end up close, others far apart', async () => {
    const embedding = await embed(matrix, { dimensions: 2, seed: 1 })
    const at = (term: number): Float32Array => place(embedding, [term], [1])
    expect(dot(at(0), at(1))).toBeGreaterThan(0.95)
    expect(Math.abs(dot(at(0), at(3)))).toBeLessThan(0.2)
  })

  it('the same seed gives the same numbers', async () => {
    const one = await embed(matrix, { dimensions: 3, seed: 7 })
    expect(await embed(matrix, { dimensions: 3, seed: 7 })).toEqual(one)
  })

  it('cosines do not depend on the seed', async () => {
    const [one, two] = await Promise.all([1, 2].map((seed) => embed(matrix, { dimensions: 2, seed })))
    expect(firstCosine(one!)).toBeCloseTo(firstCosine(two!), 2)
  })

  it('more dimensions than the matrix has give finite numbers', async () => {
    const { dimensions, chunks, terms } = await embed(sparse(3, [[0], [0], [0]]), { dimensions: 50, seed: 1 })
    expect(dimensions).toBe(3)
    expect([...chunks, ...terms].every(Number.isFinite)).toBe(true)
  })

  it('a term without a place has a vector of zeros', async () => {
    const embedding = await embed(sparse(2, [[0], [0]]), { dimensions: 1, seed: 1 })
    expect(Math.abs(place(embedding, [1], [1])[0]!)).toBeLessThan(1e-6)
  })
})

function sparse(columnCount: number, rows: readonly number[][]): SparseMatrix {
  const columns = rows.flat()
  const starts = [0]
  for (const row of rows) starts.push(starts.at(-1)! + row.length)
  return {
    rows: rows.length,
    columnCount,
    starts: Uint32Array.from(starts),
    columns: Uint32Array.from(columns),
    values: Float32Array.from(columns, (column) => (column % 3 === 2 ? 3 : 1)),
  }
}

function firstCosine({ chunks }: Embedding): number {
  return dot(chunks.subarray(0, 2), chunks.subarray(2, 4))
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
