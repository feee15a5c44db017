import { describe, expect, it } from 'vitest'
import { readability, splitSentences } from '../src/sentences.js'

describe('splitSentences', () => {
  it('splits at the ends of sentences', () => {
    expect(splitSentences('It starts. Does it stop? It does!')).toEqual([
      'It starts.',
      'Does it stop?',
      'It does!',
    ])
  })

  it('an abbreviation or a full stop in code ends no sentence', () => {
    expect(splitSentences('Pass a store, e.g. Redis, to it.')).toHaveLength(1)
    expect(splitSentences('Call `a. B()` first. Then stop.')).toEqual(['Call `a. B()` first.', 'Then stop.'])
  })
})

describe('readability', () => {
  const good = 'The pause doubles with every attempt and never exceeds a minute.'

  it('a plain sentence reads best', () => {
    expect(readability(good)).toBe(1)
  })

  it.each([
    ['a fragment', 'limits the size of the cache by bytes'],
    ['a lead-in', 'You can set the following options here:'],
    ['an address', 'The whole story is told at https://example.org in detail.'],
    ['code', 'If (a == b) => { return c } is what it does with it.'],
    ['a commit', 'Updated the dependencies of the package to 0a1b2c3 today.'],
    ['a heading', 'Getting started'],
    ['numbers', 'Max 10 20 30 40 50 60 70 80 90 100 110 120 130.'],
  ])('%s is never quoted', (_, text) => {
    expect(readability(text)).toBe(0)
  })

  it.each([
    ['a pointer elsewhere', 'See the documentation of the cache for all the details about it.'],
    ['a question', 'Would you like to know how long the pause between two attempts is?'],
    [
      'a sentence that leans on the one before',
      'This means that the pause between attempts is longer than before.',
    ],
    ['a sentence without an end', 'The pause doubles with every attempt and never exceeds a minute'],
  ])('%s is worth less', (_, text) => {
    expect(readability(text)).toBeGreaterThan(0)
    expect(readability(text)).toBeLessThan(readability(good))
  })
})
