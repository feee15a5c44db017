import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { createEntry } from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Frame, frameOf, LastDetails, leasesOf, parseFrame } from './frame.js'

const key = 'user:1'
const offset = 5_000
const createdAt = 1_700_000_000_000

const parse = (bytes: Buffer): Frame => parseFrame(key, bytes, plainCodec, offset, new LastDetails())

/** As if these had been written on purpose: the checksum fits. */
function vouched(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length >= 48) copy.writeUInt32BE(crc32(copy.subarray(48), crc32(key)), 44)
  return copy
}

const full = frameOf(
  key,
  createEntry({
    value: { text: 'what was put in' },
    createdAt,
    ttl: 60_000,
    grace: 1_000,
    tags: [{ name: 't', version: 'v' }],
    version: 3,
  }),
  plainCodec,
  offset,
)

/** Whatever these bytes are, they are an entry with sound instants, a lease, or poisoned. */
function expectSound(bytes: Buffer): void {
  let frame: Frame
  try {
    frame = parse(bytes)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_POISONED', key })
    return
  }
  const { entry, token, leaseUntil } = frame
  expect(entry !== undefined || token !== '').toBe(true)
  if (token !== '') expect(leaseUntil).toBeGreaterThan(-offset - 1)
  if (entry === undefined) return
  expect(Number.isFinite(entry.createdAt)).toBe(true)
  expect(entry.staleAt).toBeGreaterThanOrEqual(entry.createdAt)
  expect(entry.expiresAt).toBeGreaterThanOrEqual(entry.staleAt)
  for (const { name, version } of entry.tags ?? []) expect(typeof name + typeof version).toBe('stringstring')
  expect(['undefined', 'number', 'string']).toContain(typeof entry.version)
}

describe('bytes under our keys', () => {
  it('are read as they were written', () => {
    const { entry, token } = parse(full)
    expect(token).toBe('')
    expect(entry).toMatchObject({ value: { text: 'what was put in' }, createdAt, version: 3 })
    expect([entry!.staleAt, entry!.expiresAt]).toEqual([createdAt + 60_000, createdAt + 61_000])
    expect(parse(leasesOf([{ token: 'me', until: createdAt }]))).toEqual({
      entry: undefined,
      token: 'me',
      leaseUntil: createdAt - offset,
    })
  })

  it('cut off at any length are poisoned, also if the checksum fits', () => {
    for (let length = 0; length < full.length; length++) {
      expect(() => parse(full.subarray(0, length))).toThrow(expect.objectContaining({ code: 'ERR_POISONED' }))
      expectSound(vouched(full.subarray(0, length)))
    }
  })

  it('with any byte changed are poisoned, or sound', () => {
    for (let at = 0; at < full.length; at++) {
      for (const byte of [0, 1, 127, 128, 255]) {
        const copy = Buffer.from(full)
        copy[at] = byte
        expectSound(copy)
        expectSound(vouched(copy))
      }
    }
  })

  it('of any kind are poisoned, or sound', () => {
    const head = fc.constantFrom(
      [],
      [0xfc],
      [0xfc, 1, 0, 0],
      [0xfc, 1, 1, 0],
      [0xfc, 2, 1, 0],
      [...full.subarray(0, 48)],
      [...full.subarray(0, 80)],
    )
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        const bytes = Buffer.from([...start, ...rest])
        expectSound(bytes)
        expectSound(vouched(bytes))
      }),
      { numRuns: 5_000 },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('with details that name no tags of ours are poisoned, or sound', () => {
    const details = fc.oneof(
      fc.json(),
      fc.constantFrom(
        '[[[1,2]]]',
        '[[["t"]]]',
        '[["t"]]',
        '[[null]]',
        '[null,{}]',
        '[null,null]',
        '[]',
        '{}',
      ),
    )
    fc.assert(
      fc.property(details, (text) => {
        const own = Buffer.from(text)
        const bytes = Buffer.concat([full.subarray(0, 80), own, Buffer.from('\x01p1')])
        bytes.writeUInt32BE(own.length, 76)
        expectSound(vouched(bytes))
      }),
      { numRuns: 1_000 },
    )
  })
})
