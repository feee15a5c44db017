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
