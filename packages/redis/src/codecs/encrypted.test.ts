import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { CacheError } from '@flow-cache/core'
import { jsonCodec, plainCodec } from '@flow-cache/core/codec'
import { compressed } from './compressed.js'
import { encrypted, type EncryptionOptions } from './encrypted.js'

const key = 'user:1'
const old = Buffer.alloc(32, 1)
const fresh = Buffer.alloc(32, 2)
const codec = encrypted(plainCodec, { keys: { old } })

it('gives back what it encrypted, which the bytes do not show', () => {
  const value = { name: 'a secret name', at: new Date(0), bytes: new Uint8Array([1, 2, 3]) }
  const bytes = codec.encode(value, key)
  expect(codec.decode(bytes, key)).toStrictEqual(value)
  expect(Buffer.from(bytes).includes('secret')).toBe(false)
  expect(bytes.length).toBe(plainCodec.encode(value, key).length + 1 + 3 + 12 + 16)
})

it('gives back any value under any key', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, any) => {
      expect(codec.decode(codec.encode(value, any), any)).toStrictEqual(value)
    }),
  )
})

it('never writes the same bytes twice', () => {
  const written = Array.from({ length: 100 }, () => Buffer.from(codec.encode(1, key)).toString('hex'))
  expect(new Set(written).size).toBe(100)
})

it('does not open bytes of another entry, though the keys differ in half a surrogate pair only', () => {
  const bytes = codec.encode('mine', 'user:\ud800')
  expect(() => codec.decode(bytes, 'user:\ud801')).toThrow('for another entry')
  expect(() => codec.decode(bytes, 'user:')).toThrow('for another entry')
})

it('does not open bytes of another codec', () => {
  const bytes = encrypted(jsonCodec, { keys: { old } }).encode('mine', key)
  expect(() => codec.decode(bytes, key)).toThrow('these bytes were changed')
})

it('compresses inside', () => {
  const both = encrypted(compressed(plainCodec), { keys: { old } })
  const value = 'abc '.repeat(10_000)
  const bytes = both.encode(value, key)
  expect([both.name, bytes.length < 1_000, both.decode(bytes, key)]).toEqual(['p+z+e', true, value])
})

it('passes on what the codec refuses', () => {
  expect(() => codec.encode(() => 1, key)).toThrow(CacheError)
})

describe('rotation', () => {
  const both = encrypted(plainCodec, { keys: { old, fresh }, current: 'fresh' })

  it('opens what any of the keys wrote, and writes with the current one', () => {
    expect(both.decode(codec.encode('before', key), key)).toBe('before')
    const bytes = both.encode('after', key)
    expect(Buffer.from(bytes).toString('utf8', 1, 6)).toBe('fresh')
    expect(both.decode(bytes, key)).toBe('after')
  })

  it('does not open what a key wrote that is not there', () => {
    const bytes = both.encode('after', key)
    expect(() => codec.decode(bytes, key)).toThrow('no key has the id "fresh"')
    const other = encrypted(plainCodec, { keys: { fresh: old } })
    expect(() => other.decode(bytes, key)).toThrow('written with another key')
  })
})

it('fails for bytes that were changed or cut off anywhere', () => {
  const bytes = codec.encode({ list: [1, 2, 3] }, key)
  for (let i = 0; i < bytes.length; i++) {
    expect(() => codec.decode(bytes.subarray(0, i), key)).toThrow(Error)
    for (const flip of [1, 128]) {
      const changed = Uint8Array.from(bytes)
      changed[i]! ^= flip
      expect(() => codec.decode(changed, key)).toThrow(Error)
    }
  }
  expect(() => codec.decode(Buffer.concat([bytes, Buffer.of(0)]), key)).toThrow(Error)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (any) => {
      expect(() => codec.decode(any, key)).toThrow(Error)
    }),
  )
})

describe('a key', () => {
  it('may be bytes, base64 or hex, and is copied', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => 250 - i)
    const buffer = Buffer.from(bytes)
    const written = encrypted(plainCodec, { keys: { old: bytes } })
    bytes.fill(0)
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      const reader = encrypted(plainCodec, { keys: { old: buffer.toString(encoding) } })
      expect(reader.decode(written.encode('x', key), key)).toBe('x')
    }
  })

  it.each<[string, typeof TypeError | typeof RangeError, unknown]>([
    ['keys must be an object of keys by their ids', TypeError, {}],
    ['keys must hold at least one key', RangeError, { keys: {} }],
    ['keys["a"] must be 32 bytes, got 16', RangeError, { keys: { a: Buffer.alloc(16) } }],
    ['keys["a"] must be 32 bytes as base64 or hex', RangeError, { keys: { a: 'not a secret' } }],
    ['keys["a"] must be bytes or text, got number', TypeError, { keys: { a: 5 } }],
    ['an id in keys must be text of 1 to 255 bytes, got ""', RangeError, { keys: { '': old } }],
    ['an id in keys must be text', RangeError, { keys: { ['é'.repeat(128)]: old } }],
    ['an id in keys must be text', RangeError, { keys: { '\ud800': old } }],
    ['current must say which of the keys encrypts: "a", "b"', TypeError, { keys: { a: old, b: old } }],
    [
      'current must be the id of one of the keys, "a", got "c"',
      RangeError,
      { keys: { a: old }, current: 'c' },
    ],
    ['current must be', RangeError, { keys: { a: old }, current: 'toString' }],
  ])('is checked: %s', (message, Type, options) => {
    const make = (): unknown => encrypted(plainCodec, options as EncryptionOptions)
    expect(make).toThrow(Type)
    expect(make).toThrow(message)
  })

  it('never stands in a message', () => {
    const almost = old.toString('hex').slice(1)
    let message = ''
    try {
      encrypted(plainCodec, { keys: { a: almost } })
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('keys')
    expect(message).not.toContain(almost.slice(0, 8))
  })
})
