import { seededRandom } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { hashOf } from './hash.js'

const bits = (i: number): string =>
  Array.from({ length: 14 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join('')
const distinct = (hashes: readonly number[]): number => new Set(hashes).size

describe('hashOf', () => {
  const hashes = [1, 2, 3, 4, 5].map((seed) => hashOf(seededRandom(seed)))

  it('gives the same key the same 32 bits', () => {
    for (const hash of hashes) {
      expect(hash('user:1')).toBe(hash('user:1'))
      expect(hash('user:1') | 0).toBe(hash('user:1'))
    }
  })

  it.each([
    ['keys that are one to a hash with the multiplier 31', bits],
    ['keys that count up', (i: number) => `user:${i}`],
    ['keys of one character more each', (i: number) => 'a'.repeat(i & 1023) + (i >> 10)],
  ])('tells %s apart, in all bits and in the low ones', (_, keyAt) => {
    const keys = Array.from({ length: 16_384 }, (_key, i) => keyAt(i))
    for (const hash of hashes) {
      const all = keys.map(hash)
      // 16,384 draws out of 2³² share one about 0.03 times; out of 2¹⁴, 63 % of the places are met.
      expect(distinct(all)).toBeGreaterThan(16_370)
      expect(distinct(all.map((one) => one & 0x3fff))).toBeGreaterThan(10_000)
      expect(distinct(all.map((one) => one >>> 18))).toBeGreaterThan(10_000)
    }
  })

  it('has keys that collide in one process stay apart in others', () => {
    const [here, ...elsewhere] = hashes.map((hash) => (key: string) => hash(key) & 0xfff)
    const colliding = Array.from({ length: 100_000 }, (_, i) => `user:${i}`).filter((key) => here!(key) === 0)
    expect(colliding.length).toBeGreaterThan(10)
    for (const hash of elsewhere) expect(distinct(colliding.map(hash))).toBeGreaterThan(colliding.length / 2)
  })
})
