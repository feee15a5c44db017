import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram } from './histogram.js'

const filled = (times: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const ms of times) histogram.record(ms)
  return histogram
}

it('tells percentiles to within 1/32, and count, mean and maximum exactly', () => {
  const times = fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(times, fc.constantFrom(0, 0.5, 0.9, 0.99, 1), (given, share) => {
      const histogram = filled(given)
      const sorted = given.toSorted((one, other) => one - other)
      const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
      expect(Math.abs(histogram.quantile(share) - exact)).toBeLessThanOrEqual(exact / 32 + 2 ** -14)
      expect(histogram.latency()).toMatchObject({ count: given.length, max: sorted.at(-1) })
      expect(histogram.latency().mean).toBeCloseTo(given.reduce((a, b) => a + b) / given.length, 3)
    }),
  )
})

it('is all zeros before the first', () => {
  expect(new Histogram().latency()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 })
})

it('takes a time below 0 for 0, and one without end for the longest it knows', () => {
  const histogram = filled([-5, Infinity])
  expect(histogram.count).toBe(2)
  expect(histogram.quantile(0.5)).toBeLessThan(2 ** -13)
  expect(histogram.upTo(1)).toBe(1)
})

it('counts how many took at most so long', () => {
  const histogram = filled([0.5, 1, 2, 4, 8])
  expect([0.1, 0.5, 1, 3, 8, 100].map((ms) => histogram.upTo(ms))).toEqual([0, 1, 2, 3, 5, 5])
  expect(histogram.sum).toBe(15.5)
})
