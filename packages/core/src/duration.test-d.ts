import { describe, expectTypeOf, it } from 'vitest'
import { type Duration, type DurationString, toMs, ttlOf, type Volatility, volatility } from './duration.js'

describe('Duration', () => {
  it('is a number or a number with a unit', () => {
    expectTypeOf<number>().toExtend<Duration>()
    expectTypeOf<'500ms' | '30s' | '5m' | '1.5h' | '7d'>().toExtend<DurationString>()
    expectTypeOf<DurationString>().toExtend<Duration>()
    toMs('1.5h', 'ttl')
    toMs(Infinity, 'ttl')
  })

  it('is nothing else', () => {
    // @ts-expect-error words are no units
    toMs('5 minutes', 'ttl')
    // @ts-expect-error weeks are not known
    toMs('1w', 'ttl')
    // @ts-expect-error a number without a unit is given as a number
    toMs('500', 'ttl')
    // @ts-expect-error Infinity is given as a number
    toMs('Infinity', 'ttl')
    // @ts-expect-error not a duration
    toMs(true, 'ttl')
    // @ts-expect-error an absent option has no duration
    toMs(undefined, 'ttl')
    expectTypeOf<string>().not.toExtend<Duration>()
  })

  it('becomes a number', () => {
    expectTypeOf(toMs).returns.toEqualTypeOf<number>()
  })
})

describe('Volatility', () => {
  it('is one of three names', () => {
    expectTypeOf<Volatility>().toEqualTypeOf<'static' | 'dynamic' | 'realtime'>()
    expectTypeOf(ttlOf).parameters.toEqualTypeOf<[Volatility]>()
    // @ts-expect-error not one of them
    ttlOf('slow')
  })

  it('cannot be given another ttl', () => {
    expectTypeOf(volatility).toEqualTypeOf<Readonly<Record<Volatility, number>>>()
    // @ts-expect-error read-only
    volatility.static = 1
  })
})
