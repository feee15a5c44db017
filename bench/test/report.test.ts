import { expect, it } from 'vitest'
import { markdown, targets } from '../src/report.js'
import { ratio, summary } from '../src/rounds.js'

const rounds = [
  { ours: { ns: 20 }, theirs: { ns: 10 } },
  { ours: { ns: 60 }, theirs: { ns: 20 } },
  { ours: { ns: 10 }, theirs: { ns: 10 } },
]

it('compares within a round, and tells the median and how far the rounds lie apart', () => {
  expect(ratio(rounds, 'ours', 'theirs', 'ns')).toEqual({ median: 2, min: 1, max: 3 })
  expect(summary(rounds, 'ours', 'ns')).toEqual({ median: 20, min: 10, max: 60 })
})

it('says of every target whether it is met', () => {
  const table = markdown([
    targets([
      { what: 'fast', limit: 1, measured: 0.5, unit: '×' },
      { what: 'small', limit: 4, measured: 5.25, unit: ' kB' },
    ]),
  ])
  expect(table).toContain('| fast   |    1× |    0.50× |    yes |')
  expect(table).toContain('| small  |  4 kB |  5.25 kB | **no** |')
})
