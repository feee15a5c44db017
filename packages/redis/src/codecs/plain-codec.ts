import type { Codec } from '@flow-cache/core'
import { jsonOf } from './json-data.js'
import { readTagged } from './tagged-reader.js'
import { writeTagged } from './tagged-writer.js'
import { bufferOf, textOf } from './utf8.js'

/** One of these begins the bytes. */
const json = 0x4a
const tagged = 0x54

/** The marker, and how long the text is. */
const taggedStart = 5

/**
 * Keeps plain data of every kind, and gives back an equal value in Node, Bun and Deno alike:
 *
 * - primitives, `undefined`, `NaN`, infinities, -0, bigints and lone surrogates included
 * - objects, also without a prototype; arrays, also with holes; shared and circular references
 * - `Date`, `Map`, `Set`, `ArrayBuffer`, typed arrays, `DataView`, `Buffer`
 *
 * All else is a `CacheError`, `ERR_VALUE`, that says where and what to do: functions, symbols, instances of classes,
 * errors, regular expressions, more than 1,000 levels. A getter is read; what is not enumerable is left out.
 */
export const plainCodec: Codec = {
  name: 'p',

  encode(value: unknown, key: string): Uint8Array {
    const text = jsonOf(value)
    if (text === undefined) return encodeTagged(value, key)
    const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
    bytes[0] = json
    bytes.write(text, 1)
    return bytes
  },

  decode(bytes: Uint8Array): unknown {
    if (bytes[0] === json) return JSON.parse(textOf(bytes.subarray(1)))
    if (bytes[0] !== tagged || bytes.length < taggedStart) throw new SyntaxError('these bytes are no value')
    const end = taggedStart + bufferOf(bytes).readUInt32BE(1)
    if (end > bytes.length) throw new SyntaxError('these bytes are cut off')
    return readTagged(textOf(bytes.subarray(taggedStart, end)), bytes.subarray(end))
  },
}

function encodeTagged(value: unknown, key: string): Uint8Array {
  const { text, bytes: parts } = writeTagged(value, key)
  const length = Buffer.byteLength(text)
  const total = parts.reduce((sum, part) => sum + part.length, taggedStart + length)
  const bytes = Buffer.allocUnsafe(total)
  bytes[0] = tagged
  bytes.writeUInt32BE(length, 1)
  bytes.write(text, taggedStart)
  let offset = taggedStart + length
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
