import { describe, expect, it } from 'vitest'
import { lexRank } from '../src/lexrank.js'

describe('lexRank', () => {
  it('the sentence that resembles most others is the most central', async () => {
    // 0 resembles all, the others only 0.
    const matrix = Float32Array.from([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])
    const rank = await lexRank(matrix, new Float64Array(4).fill(1))
    expect(rank[0]).toBe(1)
    expect(Math.max(...rank.slice(1))).toBeLessThan(1)
  })

  it('relevance decides between sentences that are equally central', async () => {
    const matrix = Float32Array.from([0, 1, 1, 1, 0, 1, 1, 1, 0])
    const rank = await lexRank(matrix, Float64Array.from([0.1, 0.8, 0.1]))
    expect([...rank].indexOf(1)).toBe(1)
  })

  it('sentences that resemble nothing are ranked by relevance alone', async () => {
    const rank = await lexRank(new Float32Array(4), Float64Array.from([1, 2]))
    expect([...rank]).toEqual([0.5, 1])
  })

  it('no sentences have no ranks', async () => {
    expect(await lexRank(new Float32Array(0), new Float64Array(0))).toHaveLength(0)
  })
})
