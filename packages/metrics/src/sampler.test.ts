import { seededRandom } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'
import { tickingClock } from '../test/ticking-clock.js'
import { Sampler } from './sampler.js'

it('takes one of so many on average, at no fixed distance', () => {
  const clock = tickingClock()
  const sampler = new Sampler(16, clock, seededRandom(1))
  const taken: number[] = []
  for (let call = 0; call < 160_000; call++) {
    if (call % 100 === 0) clock.pass(10)
    if (sampler.next()) taken.push(call)
  }
  expect(taken.length).toBeGreaterThan(9_500)
  expect(taken.length).toBeLessThan(10_500)
  expect(new Set(taken.slice(1).map((call, i) => call - taken[i]!)).size).toBe(31)
})

it('takes every call where it is to', () => {
  const sampler = new Sampler(1, tickingClock(), seededRandom(1))
  expect(Array.from({ length: 5_000 }, () => sampler.next())).not.toContain(false)
  expect(sampler.most).toBe(1)
})

it('takes every call until more than 20,000 a second have come, where it is sparing', () => {
  const clock = tickingClock()
  const sampler = new Sampler(1, clock, seededRandom(1), true)
  const standFor = (calls: number, each: () => void): number => {
    let sum = 0
    for (let call = 0; call < calls; call++) {
      each()
      if (sampler.next()) sum += sampler.every
    }
    return sum
  }
  expect(standFor(50_000, () => clock.pass(0.1))).toBe(50_000)
  expect(sampler.most).toBe(1)
  // A million a second.
  const counted = standFor(1_000_000, () => clock.pass(0.001))
  expect(Math.abs(counted - 1_000_000)).toBeLessThan(20_000)
  expect(sampler.every).toBeGreaterThan(40)
  expect(sampler.every).toBeLessThan(70)
  standFor(50_000, () => clock.pass(0.1))
  expect(sampler.every).toBe(1)
})

it('takes fewer where calls are too many, and as many as before once they are not', () => {
  const clock = tickingClock()
  const sampler = new Sampler(4, clock, seededRandom(1))
  for (let call = 0; call < 100_000; call++) sampler.next()
  expect(sampler.every).toBeGreaterThan(16)
  for (let call = 0; call < 2_000_000; call++) {
    clock.pass(1)
    sampler.next()
  }
  expect(sampler.every).toBe(4)
  expect(sampler.most).toBeGreaterThan(16)
})
