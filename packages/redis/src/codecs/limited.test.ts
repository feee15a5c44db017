import { expect, it } from 'vitest'
import type { Codec } from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import { limited } from './limited.js'

const key = 'user:1'

it('takes a value of as many bytes as are allowed, and refuses one byte more', () => {
  const codec = limited(plainCodec, 10)
  expect(codec.decode(codec.encode('a'.repeat(8), key), key)).toBe('a'.repeat(8))
  expect(() => codec.encode('a'.repeat(9), key)).toThrow(
    expect.objectContaining({
      code: 'ERR_VALUE',
      key,
      message: 'value is 11 bytes, and may be 10: keep less of it, or raise the limit',
    }),
  )
})

it.each([['a'.repeat(11)], [Buffer.alloc(11)], [new Float64Array(2)], [new ArrayBuffer(11)]])(
  'does not encode what is too long anyway',
  (value) => {
    let calls = 0
    const counting: Codec = { ...plainCodec, encode: () => new Uint8Array(++calls) }
    expect(() => limited(counting, 10).encode(value, key)).toThrow('value is at least 1')
    expect(calls).toBe(0)
  },
)

it('has the name of the codec, and reads what that wrote', () => {
  const codec = limited(plainCodec, 10)
  expect(codec.name).toBe('p')
  expect(codec.decode(plainCodec.encode('a'.repeat(100), key), key)).toBe('a'.repeat(100))
})

it('refuses a limit that is none', () => {
  expect(() => limited(plainCodec, 0)).toThrow(RangeError)
  expect(() => limited(plainCodec, NaN)).toThrow('maxBytes must be a whole number of at least 1, got NaN')
})
