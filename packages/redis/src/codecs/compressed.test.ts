import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { plainCodec } from '@flow-cache/core/codec'
import { compressed } from './compressed.js'

const key = 'user:1'
const codec = compressed(plainCodec)
const long = { text: 'abc '.repeat(1_000) }

it('compresses what is long, and gives it back', () => {
  const bytes = codec.encode(long, key)
  expect([bytes[0], bytes.length < 200]).toEqual([1, true])
  expect(codec.decode(bytes, key)).toStrictEqual(long)
})

it('leaves what is short, and what would not get shorter', () => {
  const short = codec.encode('a'.repeat(1_000), key)
  expect([short[0], short.length]).toEqual([0, 1_003])
  const noise = Uint8Array.from({ length: 5_000 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24)
  const once = deflateRawSync(deflateRawSync(noise))
  const bytes = compressed(plainCodec, { threshold: 0 }).encode(once, key)
  expect(bytes[0]).toBe(0)
  expect(codec.decode(bytes, key)).toStrictEqual(once)
})

it('gives back any value at any threshold', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(50), fc.nat(200), (text, times, threshold) => {
      const value = [text.repeat(times), undefined]
      const own = compressed(plainCodec, { threshold })
      expect(own.decode(own.encode(value, key), key)).toStrictEqual(value)
    }),
  )
})

it('does not decode what becomes longer than maxBytes', () => {
  const bomb = Buffer.concat([Buffer.from([1]), deflateRawSync(Buffer.alloc(10_000_000))])
  expect(() => compressed(plainCodec, { maxBytes: 100_000 }).decode(bomb, key)).toThrow(RangeError)
})

it('refuses a value longer than maxBytes, and takes one that is as long', () => {
  const small = compressed(plainCodec, { maxBytes: 102 })
  expect(small.decode(small.encode('a'.repeat(100), key), key)).toBe('a'.repeat(100))
  expect(() => small.encode('a'.repeat(101), key)).toThrow(
    expect.objectContaining({
      code: 'ERR_VALUE',
      key,
      message: 'value is 103 bytes, more than maxBytes, 102',
    }),
  )
})

describe('decode', () => {
  it('fails for bytes cut off anywhere', () => {
    for (const value of [long, 'short']) {
      const bytes = codec.encode(value, key)
      for (let i = 0; i < bytes.length; i++) {
        expect(() => codec.decode(bytes.subarray(0, i), key)).toThrow(Error)
      }
    }
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(2), (bytes, marker) => {
        try {
          codec.decode(Uint8Array.of(marker, ...bytes), key)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })
})

it('has a name of its own', () => {
  expect(codec.name).toBe('p+z')
})

it.each([
  [{ threshold: -1 }, RangeError, 'threshold must be a whole number of at least 0, got -1'],
  [{ threshold: 0.5 }, RangeError, 'threshold'],
  [{ threshold: '1' as unknown as number }, TypeError, 'threshold must be a number, got string'],
  [{ maxBytes: 0 }, RangeError, 'maxBytes'],
  [{ maxBytes: Infinity }, RangeError, 'maxBytes'],
])('refuses %j', (options, Type, message) => {
  expect(() => compressed(plainCodec, options)).toThrow(Type)
  expect(() => compressed(plainCodec, options)).toThrow(message)
})
