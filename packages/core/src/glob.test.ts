import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeGlob, matchGlob } from './glob.js'

describe('matchGlob reads a pattern as Redis does', () => {
  it.each([
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h[ae]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[^e]llo', 'hbllo', true],
    ['h[a-c]llo', 'hbllo', true],
    ['h[a-c]llo', 'hdllo', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['[\\]]', ']', true],
    ['a**b', 'ab', true],
    ['', '', true],
    ['', 'a', false],
  ])('%s against %s: %s', (glob, text, matches) => {
    expect(matchGlob(glob, text)).toBe(matches)
  })

  it('an escaped text matches itself and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, other) => {
        expect(matchGlob(escapeGlob(text), text)).toBe(true)
        expect(matchGlob(escapeGlob(text), other)).toBe(text === other)
      }),
    )
  })

  it('agrees with a regular expression on stars and question marks', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 12 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(letters, text, (glob, against) => {
        const pattern = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`)
        expect(matchGlob(glob, against)).toBe(pattern.test(against))
      }),
    )
  })

  it('a pattern of many stars takes no longer than it must', () => {
    expect(matchGlob(`${'a*'.repeat(50)}b`, 'a'.repeat(5_000))).toBe(false)
  })
})
