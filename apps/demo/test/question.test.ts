import { describe, expect, it } from 'vitest'
import { answerForm } from '../src/answer-form.js'
import { readQuestion } from '../src/question.js'
import { suggest } from '../src/suggest.js'
import { handbookChunks } from './handbook.js'

describe('readQuestion', () => {
  it('wording does not matter: case, filler and form of a word', () => {
    expect(readQuestion('How do I cache  the results?')).toEqual(readQuestion('how to cache a result'))
  })

  it('what is asked does matter', () => {
    expect(readQuestion('What is a cache?')).not.toEqual(readQuestion('Why a cache?'))
    expect(readQuestion('What is a cache?')).not.toEqual(readQuestion('What is a queue?'))
  })

  it('filler alone has no terms', () => {
    expect(readQuestion('how do I?').terms).toEqual([])
  })
})

describe('answerForm', () => {
  it('a question for a definition prefers "is a", one for instructions prefers an imperative', () => {
    expect(answerForm('definition', 'A lease is a time-limited right.')).toBeGreaterThan(1)
    expect(answerForm('instruction', 'Use `max` to limit it.')).toBeGreaterThan(1)
    expect(answerForm('instruction', 'A lease is a time-limited right.')).toBe(1)
    expect(answerForm('other', 'Use `max` to limit it.')).toBe(1)
  })
})

describe('suggest', () => {
  it('names the words that no document has, with one that is written much like it', async () => {
    expect(suggest('How does schedulling use plutonium?', await handbookChunks())).toEqual([
      { word: 'schedulling', instead: 'scheduling' },
      { word: 'plutonium', instead: undefined },
    ])
  })
})
