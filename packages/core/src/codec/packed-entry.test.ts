import { createEntry, type Entry } from '@flow-cache/core'
import { expect, it } from 'vitest'
import { crc32, neutralCrc32 } from './crc32.js'
import { jsonCodec } from './json-codec.js'
import { packEntry, unpackEntry } from './packed-entry.js'

const made = (fields: Partial<Parameters<typeof createEntry>[0]> = {}): Entry =>
  createEntry({ value: { a: 1 }, createdAt: Date.UTC(2024, 0, 1), ttl: 10, ...fields })

const fieldsOf = ({ value, createdAt, staleAt, expiresAt, loadMs, tags, version, tier }: Entry) => ({
  value,
  createdAt,
  staleAt,
  expiresAt,
  loadMs,
  tags,
  version,
  tier,
})

it('an entry comes back whole, whatever it has', () => {
  const entries = [
    made(),
    made({ value: undefined }),
    made({ value: new Map([[1, new Date(3)]]), grace: 5, loadMs: 7, version: 'v2' }),
    made({ tags: [{ name: 'x', version: '1' }], version: 0 }),
    made({ tags: [] }),
    made({ ttl: Infinity }),
    made({ ttl: 10, grace: Infinity }),
    made({ ttl: 0 }),
  ]
  for (const entry of entries) {
    expect(fieldsOf(unpackEntry('k', packEntry('k', entry)))).toStrictEqual(fieldsOf(entry))
  }
})

it('what the cache knows of a tag is not kept', () => {
  const bytes = packEntry('k', made({ tags: [{ name: 'x', version: '1', alive: true }] }))
  expect(unpackEntry('k', bytes).tags).toStrictEqual([{ name: 'x', version: '1' }])
})

it('a bit that is flipped anywhere, bytes cut off anywhere, and the bytes of another key are poisoned', () => {
  const bytes = packEntry('k', made({ tags: [{ name: 'x', version: '1' }] }))
  const poisoned = expect.objectContaining({ code: 'ERR_POISONED', key: 'k' }) as Error
  for (let i = 0; i < bytes.length * 8; i++) {
    const damaged = Uint8Array.from(bytes)
    damaged[i >> 3]! ^= 1 << (i & 7)
    expect(() => unpackEntry('k', damaged)).toThrow(poisoned)
  }
  for (let i = 0; i < bytes.length; i++)
    expect(() => unpackEntry('k', bytes.subarray(0, i))).toThrow(poisoned)
  expect(() => unpackEntry('k', packEntry('l', made()))).toThrow(poisoned)
  // Half of a surrogate pair has no UTF-8, and two of them would look the same.
  expect(() => unpackEntry('\ud800', packEntry('\ud801', made()))).toThrow('checksum')
})

it('the codec that reads is the one that wrote', () => {
  const bytes = packEntry('k', made(), jsonCodec)
  expect(unpackEntry('k', bytes, jsonCodec).value).toEqual({ a: 1 })
  expect(() => unpackEntry('k', bytes)).toThrow("were written by the codec 'json', not by 'p'")
  expect(() => packEntry('k', made({ value: { at: new Date(0) } }), jsonCodec)).toThrow('value.at is a Date')
})

it('a codec that fails to read is a poisoned entry, with its error as the cause', () => {
  const cause = new Error('no')
  const picky = {
    ...jsonCodec,
    decode() {
      throw cause
    },
  }
  const caught = (() => {
    try {
      return unpackEntry('k', packEntry('k', made(), jsonCodec), picky)
    } catch (error) {
      return error
    }
  })()
  expect(caught).toMatchObject({ code: 'ERR_POISONED', cause })
})

it('the checksum of all platforms is the one of zlib', () => {
  expect(crc32).not.toBe(neutralCrc32)
  const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => (i * 7919) >> 3)
  for (const length of [0, 1, 9, 1_000]) {
    const some = bytes.subarray(0, length)
    expect(neutralCrc32(some)).toBe(crc32(some))
    expect(neutralCrc32(some, 0xdeadbeef)).toBe(crc32(some, 0xdeadbeef))
  }
})
