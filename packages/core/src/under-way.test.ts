import fc from 'fast-check'
import { expect, it } from 'vitest'
import { UnderWay } from './under-way.js'

it('holds what a Map holds, whatever is set and deleted', () => {
  const step = fc.record({ key: fc.nat({ max: 900 }).map(String), value: fc.option(fc.nat()) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3_000, size: 'max' }), (steps) => {
      const map = new Map<string, number>()
      const underWay = new UnderWay<number>()
      for (const { key, value } of steps) {
        if (value === null) {
          map.delete(key)
          underWay.delete(key)
        } else {
          map.set(key, value)
          underWay.set(key, value)
        }
        expect(underWay.get(key)).toBe(map.get(key))
        expect(underWay.size).toBe(map.size)
      }
      expect(new Map(underWay)).toEqual(map)
    }),
    { numRuns: 30 },
  )
})

it('forgets keys that have ended', () => {
  const underWay = new UnderWay<object>()
  const kept = {}
  underWay.set('kept', kept)
  for (let i = 0; i < 10_000; i++) {
    underWay.set(`key ${i}`, {})
    underWay.delete(`key ${i}`)
  }
  expect([...underWay]).toEqual([['kept', kept]])
})

it('can be changed while it is read', () => {
  const underWay = new UnderWay<number>()
  for (let i = 0; i < 600; i++) underWay.set(`key ${i}`, i)
  for (const [key] of underWay) underWay.delete(key)
  expect(underWay.size).toBe(0)
})
