import { describe, expect, it } from 'vitest'
import { estimateSize } from './estimate-size.js'

/** The value's own share: what is left without the entry and the key. */
const sizeOf = (value: unknown): number => estimateSize(value, '') - estimateSize(0, '') + 8

describe('estimateSize', () => {
  it.each<[what: string, value: unknown, bytes: number]>([
    ['a number', 1.5, 8],
    ['nothing', undefined, 8],
    ['a truth', true, 8],
    ['a character, two bytes', 'x'.repeat(100), 24 + 200],
    ['a big integer', 10n, 40],
    ['bytes', new Uint8Array(1_000), 128 + 1_000],
    ['a view, its own part of the buffer', new Uint8Array(new ArrayBuffer(1_000), 0, 10), 128 + 10],
    ['a buffer', new ArrayBuffer(1_000), 128 + 1_000],
    ['an object and its properties', { a: 1, b: 'xx' }, 40 + 8 + 28],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), 48],
    ['an array and its parts', [1, 2, 3], 40 + 24],
    ['an empty array', [], 40],
    ['a map, its keys and its values', new Map([['xx', 1]]), 80 + 24 + 28 + 8],
    ['an empty map', new Map(), 80],
    ['a set and its parts', new Set([1, 2]), 80 + 32 + 16],
    ['what lies deep', { a: [{ b: 1 }] }, 40 + 40 + 48],
  ])('counts %s', (_what, value, bytes) => {
    expect(sizeOf(value)).toBe(bytes)
  })

  it('counts the key, and what every entry costs', () => {
    expect(estimateSize(0, 'x'.repeat(50)) - estimateSize(0, '')).toBe(100)
    expect(estimateSize(0, '')).toBeGreaterThan(100)
  })

  it('what is reached twice counts once, and a circle ends', () => {
    const part = { text: 'x'.repeat(1_000) }
    expect(sizeOf([part, part])).toBe(sizeOf([part]) + 8)
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(sizeOf(circle)).toBe(40 + 8)
  })

  it('a long list is known by some of its parts', () => {
    const row = (i: number) => ({ id: i, name: `row ${i % 10}`, tags: ['a', 'b'] })
    const one = sizeOf(row(1))
    const rows = Array.from({ length: 100_000 }, (_, i) => row(i))
    expect(sizeOf(rows)).toBe(40 + 100_000 * one)
    expect(sizeOf(new Set(rows))).toBe(80 + 100_000 * (one + 16))
    expect(sizeOf(new Map(rows.map((r) => [r.id, r])))).toBe(80 + 100_000 * (one + 8 + 24))
  })

  it('looks at a bounded number of parts, however large, wide or deep the value is', () => {
    let looks = 0
    const watched = (value: object): object =>
      new Proxy(value, { get: (target, name) => (looks++, Reflect.get(target, name) as unknown) })
    let chain: object = {}
    for (let i = 0; i < 100_000; i++) chain = watched({ next: chain, i })
    const wide = watched(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])))
    const bushy = (depth: number): object =>
      watched(
        Object.fromEntries(
          Array.from({ length: 10 }, (_, i) => [`k${i}`, depth === 0 ? i : bushy(depth - 1)]),
        ),
      )
    for (const value of [chain, wide, bushy(3)]) {
      looks = 0
      expect(sizeOf(value)).toBeGreaterThan(500)
      expect(looks).toBeLessThan(5_000)
    }
  })
})
