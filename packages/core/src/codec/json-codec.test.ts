import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { CacheError } from '@flow-cache/core'
import { jsonCodec } from './json-codec.js'

const key = 'user:1'
const trip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value, key), key)

function refusalOf(value: unknown): CacheError | undefined {
  try {
    jsonCodec.encode(value, key)
  } catch (error) {
    if (error instanceof CacheError) return error
    throw error
  }
  return undefined
}

it('writes the JSON text and nothing else', () => {
  const value = { id: 1, name: 'Zoë', list: [null, true, 0.5], '~m': '~u' }
  expect(Buffer.from(jsonCodec.encode(value, key)).toString()).toBe(JSON.stringify(value))
})

it('gives back all JSON data', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text.replaceAll(/-0(?![.\d])/g, '0'))
      expect(isDeepStrictEqual(trip(value), value)).toBe(true)
    }),
  )
})

it('either gives back any data, or refuses it', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
    withBoxedValues: true,
  })
  fc.assert(
    fc.property(anything, (value) => {
      if (refusalOf(value) === undefined) expect(isDeepStrictEqual(trip(value), value)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

it('gives back what occurs twice as two, and many fractions', () => {
  const shared = { id: 1 }
  const numbers = Array.from({ length: 100 }, (_, i) => i / 7)
  expect(trip([shared, shared, numbers])).toStrictEqual([shared, shared, numbers])
})

describe('a refusal', () => {
  const circle: Record<string, unknown> = {}
  circle['a'] = [circle]
  it.each<[string, unknown]>([
    ['value is undefined: leave it out, or give null in its place, or use plainCodec', undefined],
    ['value.a is undefined', { a: undefined }],
    ['value[1] is undefined', [1, undefined]],
    ['value[0] is undefined', new Array(2)],
    ['value.n is NaN', { n: NaN }],
    ['value.n is -0', { n: -0 }],
    ['value.n is -Infinity', { n: -Infinity }],
    ['value.n is a bigint', { n: 1n }],
    ['value.at is a Date: give its toISOString() in its place', { at: new Date(0) }],
    ['value[0] is a Map', [new Map()]],
    ['value is a Set', new Set()],
    ['value is binary, Buffer: give it as base64', Buffer.from('a')],
    ['value.b is binary, Float64Array', { b: new Float64Array(1) }],
    ['value has no prototype', Object.create(null)],
    ['value.index is a property beside the items', Object.assign(['a'], { index: 0 })],
    ['value.a[0] is part of itself', circle],
    ['value.f is a function: leave it out', { f: () => 1 }],
    ['value.p is an instance of Promise: await it first', { p: Promise.resolve() }],
    ['value has a symbol as a name, Symbol(s)', { [Symbol('s')]: 1 }],
    ['value is a symbol', Symbol('s')],
  ])('says: %s', (message, value) => {
    const error = refusalOf(value)!
    expect(error.message).toContain(message)
    expect([error.code, error.key]).toEqual(['ERR_VALUE', key])
  })

  it('comes at once for few objects that make a very long text', () => {
    let value: unknown = 'x'
    for (let i = 0; i < 100; i++) value = [value, value]
    expect(refusalOf(value)!.message).toContain('holds more than 1000000 objects')
  })

  it('names what cannot be read', () => {
    const cause = new Error('no')
    const getter = {
      get x(): unknown {
        throw cause
      },
    }
    const refusal = refusalOf({ a: [getter] })!
    expect([refusal.message, refusal.cause]).toEqual([
      'value.a[0].x cannot be read: the cause says why',
      cause,
    ])
  })
})

it('decodes no bytes that are cut off or no text', () => {
  const bytes = jsonCodec.encode({ a: 'text' }, key)
  for (let i = 0; i < bytes.length; i++) {
    expect(() => jsonCodec.decode(bytes.subarray(0, i), key)).toThrow(SyntaxError)
  }
  expect(() => jsonCodec.decode(Buffer.from('"\xff"', 'latin1'), key)).toThrow('UTF-8')
  fc.assert(
    fc.property(fc.uint8Array(), (any) => {
      try {
        jsonCodec.encode(jsonCodec.decode(any, key), key)
      } catch (error) {
        // A text may say -0.
        expect(error instanceof SyntaxError || error instanceof CacheError).toBe(true)
      }
    }),
  )
})
