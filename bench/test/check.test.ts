import { describe, expect, it } from 'vitest'
import { ratiosOf } from '../src/check/measure.js'
import { fallsOf, tableOf } from '../src/check/verdict.js'
import { namesOf, watched } from '../src/check/watched.js'

describe('the check before a release', () => {
  it('finds a fall of more than a fifth, and nothing less', () => {
    expect(fallsOf({ hit: 1, miss: 2, fill: 3 }, { hit: 1.19, miss: 2.41, fill: 1, other: 9 })).toEqual([
      'miss',
    ])
  })

  it('shows what is new and what is not measured any more, and lets neither stop a release', () => {
    const { rows } = tableOf({ hit: 1, old: 2 }, { hit: 1.5, young: 1 })
    expect(rows).toEqual([
      ['hit', '1.00×', '1.50×', '+50 %', '**falls**'],
      ['young', '', '1.00×', '', 'new'],
      ['old', '2.00×', '', '', 'not measured any more'],
    ])
  })

  it('judges by the median of all rounds, so that one that was disturbed decides nothing', () => {
    const one = watched.find(({ question }) => question === 'miss')
    const round = (one: number): object => ({
      'lru-cache': { one: 10, crowd: 10 },
      'flow-cache': { one, crowd: 20 },
    })
    const rounds = [round(20), round(900), round(22)] as never
    expect(ratiosOf({ watched: one!, rounds })).toEqual({
      'a miss': 2.2,
      '100 callers of one missing key': 2,
    })
  })

  it('has a name for each figure that no other one has', () => {
    const names = namesOf(watched)
    expect(new Set(names).size).toBe(names.length)
  })
})
