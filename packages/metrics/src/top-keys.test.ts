import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TopKeys } from './top-keys.js'

it('never counts too little, says by how much it may be too much, and has every frequent key', () => {
  const stream = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 5 })), { maxLength: 200 })
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 8 }), (given, most) => {
      const keys = new TopKeys(most)
      const exact = new Map<string, number>()
      let all = 0
      for (const [n, by] of given) {
        keys.add(`k${n}`, '', by)
        exact.set(`k${n}`, (exact.get(`k${n}`) ?? 0) + by)
        all += by
      }
      const top = keys.top(100)
      expect(top.length).toBe(Math.min(most, exact.size))
      for (const { key, count, error } of top) {
        expect(count).toBeGreaterThanOrEqual(exact.get(key)!)
        expect(count - error).toBeLessThanOrEqual(exact.get(key)!)
      }
      const found = new Set(top.map(({ key }) => key))
      for (const [key, count] of exact) if (count > all / most) expect(found).toContain(key)
      expect(top.map(({ count }) => count)).toEqual(
        top.map(({ count }) => count).toSorted((one, other) => other - one),
      )
      expect(top.reduce((sum, { count }) => sum + count, 0)).toBe(all)
    }),
  )
})

it('tells keys of different namespaces apart, and takes any characters', () => {
  const keys = new TopKeys(10)
  keys.add('b', 'a', 1)
  keys.add('b', '', 2)
  keys.add('__proto__', '', 3)
  expect(keys.top(3)).toEqual([
    { key: '__proto__', namespace: '', count: 3, error: 0 },
    { key: 'b', namespace: '', count: 2, error: 0 },
    { key: 'b', namespace: 'a', count: 1, error: 0 },
  ])
})
