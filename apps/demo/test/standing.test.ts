import { describe, expect, it } from 'vitest'
import { lookUp, readQuestion } from '../src/question.js'
import { standing } from '../src/standing.js'
import { handbookIndex } from './handbook.js'

const index = await handbookIndex()
const standingFor = (question: string) => standing(lookUp(readQuestion(question), index))

describe('standing', () => {
  it('the package that a question names counts more, with or without its scope', () => {
    const standingOf = standingFor('How do I limit an lru-cache?')
    expect(standingOf({ package: 'lru-cache', file: 'README.md' })).toBeGreaterThan(1)
    expect(standingOf({ package: '@types/lru-cache', file: 'README.md' })).toBeGreaterThan(1)
    expect(standingOf({ package: 'other', file: 'README.md' })).toBe(1)
  })

  it('a package with the name of a common word gains less', () => {
    const standingOf = standingFor('How do I limit an lru-cache?')
    const common = standingOf({ package: 'cache', file: 'README.md' })
    expect(common).toBeLessThan(standingOf({ package: 'lru-cache', file: 'README.md' }))
  })

  it('a change log counts less', () => {
    expect(standingFor('anything')({ package: 'a', file: 'docs/CHANGELOG.md' })).toBeLessThan(1)
  })
})
