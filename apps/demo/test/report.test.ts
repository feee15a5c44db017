import { Savings } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../src/answer.js'
import { showAnswer, showComparison, showExplained, showNodes, showSteps } from '../src/report.js'
import type { Step } from '../src/steps.js'

const look = { color: false, ascii: true, width: 60 }

const cold = answer([
  { name: 'scan', from: 'ran', ms: 10, savedMs: 0, note: '2 files' },
  { name: 'index', from: 'ran', ms: 900, savedMs: 0, note: '' },
])
const warm = answer([
  { name: 'scan', from: 'ran', ms: 10, savedMs: 0, note: '2 files' },
  { name: 'index', from: 'cache', ms: 0.05, savedMs: 899.95, note: '' },
])

describe('the report', () => {
  it('quotes the sentences with numbers, and lists the numbered sources', () => {
    expect(showAnswer(cold, look)).toBe(
      ['Why?', '', '  - Because it is so. [1]', '', '  [1] ferry 2.0.0, README.md: Retries'].join('\n'),
    )
  })

  it('warns when little is written about a question', () => {
    expect(showAnswer({ ...cold, brief: { ...cold.brief, coverage: 0.2 } }, look)).toContain(
      'Little is written',
    )
  })

  it('says of each step whether it ran, how long it took and what it saved', () => {
    expect(showSteps(warm, look)).toBe(
      [
        '  step             time   saved',
        '  scan   ran      10 ms          2 files',
        '  index  cache  0.05 ms  900 ms',
        '  total           10 ms  900 ms',
      ].join('\n'),
    )
  })

  it('says of each node what caching it brought, also where that is less than it took', () => {
    const savings = new Savings()
    savings.answered('index', 'miss', { ms: 900, tokens: 0, usd: 0 })
    savings.answered('index', 'hit', { ms: 900, tokens: 0, usd: 0 })
    savings.answered('question', 'hit', { ms: 0.01, tokens: 0, usd: 0 })
    savings.overhead('question', 5)
    const reports = (['index', 'question'] as const).map((name) =>
      Object.assign({ name }, savings.report(name)),
    )
    expect(showNodes(reports, look).split('\n').slice(1)).toEqual([
      '  index        1       0     1   900 ms       0.00 ms   900 ms  pays',
      '  question     1       0     0  0.01 ms        5.0 ms  -5.0 ms  does not pay',
    ])
  })

  it('explains what the cache knows of each step', () => {
    const cache = { status: 'hit', key: 'brief:x', lookupMs: 1, ageMs: 20, ttlMs: 3000 } as const
    const text = showExplained(answer([{ ...cold.steps[0]!, cache }, cold.steps[1]!]), look)
    expect(text).toMatch(/scan +hit +20 ms +3\.00 s +brief:x/)
    expect(text).toMatch(/index +ran +not cached/)
  })

  it('compares the first time with the second by sums of what was measured', () => {
    const text = showComparison([cold], [warm], look)
    expect(text).toMatch(/total +910 ms +10 ms +900 ms/)
    expect(text).toContain('Both times together: 920 ms.')
    expect(text.replace(/\s+/g, ' ')).toContain('about 1.82 s')
  })
})

function answer(steps: readonly Step[]): Answer {
  return {
    question: 'Why?',
    brief: {
      sentences: [{ text: 'Because it is so.', source: 1 }],
      sources: [
        { package: 'ferry', version: '2.0.0', file: 'README.md', headings: ['ferry', 'Retries'].slice(1) },
      ],
      weighed: 1,
      coverage: 1,
    },
    steps,
    corpus: {
      documents: 2,
      packages: 1,
      digest: 'x',
      found: 2,
      duplicates: 0,
      older: 0,
      legal: 0,
      large: 0,
      left: 0,
    },
    ms: steps.reduce((sum, { ms }) => sum + ms, 0),
  }
}
