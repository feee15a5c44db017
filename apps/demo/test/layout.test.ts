import { describe, expect, it } from 'vitest'
import { count, duration, table, tone, wrap } from '../src/layout.js'

describe('layout', () => {
  it('wraps at spaces, with one indent for the first line and one for the rest', () => {
    expect(wrap('one two three four', 10, '- ', '  ')).toBe('- one two\n  three\n  four')
  })

  it('says durations in the unit that fits', () => {
    expect([0.012, 3.21, 12.3, 1240, 150_000, 86_400_000].map(duration)).toEqual([
      '0.01 ms',
      '3.2 ms',
      '12 ms',
      '1.24 s',
      '3 min',
      '24 h',
    ])
  })

  it('counts things', () => {
    expect([count(1, 'file'), count(1234, 'file')]).toEqual(['1 file', '1,234 files'])
  })

  it('aligns the columns of a table', () => {
    expect(
      table(
        [
          ['a', '1'],
          ['bb', '22'],
        ],
        ['left', 'right'],
      ),
    ).toEqual(['a    1', 'bb  22'])
  })

  it('adds colour only where it is wanted', () => {
    const look = { color: false, ascii: false, width: 80 }
    expect(tone(look, 'good', 'x')).toBe('x')
    expect(tone({ ...look, color: true }, 'good', 'x')).toContain('\u001b[')
  })
})
