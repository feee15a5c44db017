import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Duration, toMs, ttlOf, volatility } from './duration.js'

const toMsOf = (value: unknown): number => toMs(value as Duration, 'grace')

function outcome(value: unknown): string {
  try {
    return typeof toMsOf(value)
  } catch (error) {
    return (error as Error).name
  }
}

describe('toMs', () => {
  it('takes a number as milliseconds', () => {
    expect(toMs(1500, 'ttl')).toBe(1500)
    expect(toMs(0.5, 'ttl')).toBe(0.5)
  })

  it('takes 0 and Infinity', () => {
    expect(toMs(0, 'ttl')).toBe(0)
    expect(toMs('0s', 'ttl')).toBe(0)
    expect(toMs(Infinity, 'ttl')).toBe(Infinity)
  })

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
  ] as const)('reads %s as %d ms', (text, ms) => {
    expect(toMs(text, 'ttl')).toBe(ms)
  })

  it('reads decimals without the noise of a binary product', () => {
    expect(toMs('1.005s', 'ttl')).toBe(1005)
    expect(toMs('0.1ms', 'ttl')).toBe(0.1)
  })

  it('answers the same when it has seen the string before', () => {
    expect(toMs('42s', 'ttl')).toBe(toMs('42s', 'grace'))
  })

  it('reads any number of different strings', () => {
    for (let i = 0; i < 1000; i++) expect(toMs(`${i}s`, 'ttl')).toBe(i * 1000)
  })

  it.each([-1, -Infinity, NaN, '-5s'])('refuses %s with a RangeError that names the option', (value) => {
    expect(() => toMsOf(value)).toThrow(RangeError)
    expect(() => toMsOf(value)).toThrow(`grace must not be negative or NaN, got ${value}`)
  })

  it.each([
    '',
    's',
    '5',
    '5 minutes',
    '5 s',
    ' 5s',
    '5s ',
    '5s\n',
    '5S',
    '5w',
    '.5s',
    '5.s',
    '1e3s',
    '0x10s',
    '1,5s',
    '+5s',
    '٣s',
    'Infinity',
    'Infinitys',
    'NaNs',
    '9'.repeat(400) + 'd',
  ])('refuses the string %j with a TypeError', (value) => {
    expect(() => toMsOf(value)).toThrow(TypeError)
  })

  it.each([true, null, undefined, 5n, {}, [], new Date(0), Symbol('s'), () => 5])(
    'refuses what is neither number nor string',
    (value) => {
      expect(() => toMsOf(value)).toThrow(TypeError)
    },
  )

  it('says which option is wrong, what it got and what is accepted', () => {
    expect(() => toMsOf('5 minutes')).toThrow(
      `grace must be milliseconds or a string such as '500ms', '30s', '5m', '1.5h' or '7d', got '5 minutes'`,
    )
    expect(() => toMsOf(null)).toThrow(/got null$/)
    expect(() => toMsOf(true)).toThrow(/got true$/)
  })

  it('gives back every whole number of up to 15 digits', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999_999_999), (n) => {
        expect(toMs(`${n}ms`, 'ttl')).toBe(n)
      }),
    )
  })

  it('throws nothing but a TypeError or a RangeError', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(outcome(value)).toMatch(/^(number|TypeError|RangeError)$/)
      }),
    )
  })
})

describe('volatility', () => {
  it('names three ttls: 1 day, 5 minutes, 5 seconds', () => {
    expect(ttlOf('static')).toBe(toMs('1d', 'ttl'))
    expect(ttlOf('dynamic')).toBe(toMs('5m', 'ttl'))
    expect(ttlOf('realtime')).toBe(toMs('5s', 'ttl'))
  })

  it('is frozen', () => {
    expect(Object.isFrozen(volatility)).toBe(true)
  })

  it.each(['slow', 'constructor', '__proto__', '', undefined, 5])('refuses the name %j', (name) => {
    expect(() => ttlOf(name as never)).toThrow(TypeError)
    expect(() => ttlOf(name as never)).toThrow(`volatility must be 'static' or 'dynamic' or 'realtime', got`)
  })
})
