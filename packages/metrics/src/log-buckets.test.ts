import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bucketOf, lowerEdge } from './log-buckets.js'

it('every value is in a bucket that begins at most 1/32 below it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 50, noNaN: true }), (value) => {
      const bucket = bucketOf(value)
      const [from, to] = [lowerEdge(bucket), lowerEdge(bucket + 1)]
      expect(value).toBeGreaterThanOrEqual(from)
      expect(value).toBeLessThan(to)
      expect(to - from).toBeLessThanOrEqual(Math.max(1, value / 32))
    }),
  )
})

it('whole numbers below 64 have buckets of their own, and no bucket is left out', () => {
  expect(Array.from({ length: 64 }, (_, value) => bucketOf(value))).toEqual(
    Array.from({ length: 64 }, (_, value) => value),
  )
  for (let bucket = 0; bucket < 1_500; bucket++) expect(bucketOf(lowerEdge(bucket))).toBe(bucket)
})
