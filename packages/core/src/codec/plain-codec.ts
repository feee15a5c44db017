import type { Codec } from '../codec.js'
import { jsonOf } from './json-data.js'
import { readTagged } from './tagged-reader.js'
import { writeTagged } from './tagged-writer.js'
import { bytesOf, textOf } from './utf8.js'

/*
 * The bytes are a JSON text, or `T`, with which no JSON begins, the length of a tagged text in four bytes, the text,
 * and the bytes that belong to it.
 */
const tagged = 0x54
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
    return text === undefined ? encodeTagged(value, key) : bytesOf(text)
  },

  decode(bytes: Uint8Array): unknown {
    if (bytes[0] !== tagged) return JSON.parse(textOf(bytes))
    if (bytes.length < taggedStart) throw new SyntaxError('these bytes are cut off')
    const end = taggedStart + viewOf(bytes).getUint32(1)
    if (end > bytes.length) throw new SyntaxError('these bytes are cut off')
    return readTagged(textOf(bytes.subarray(taggedStart, end)), bytes.subarray(end))
  },
}

function encodeTagged(value: unknown, key: string): Uint8Array {
  const tree = writeTagged(value, key)
  const text = bytesOf(tree.text)
  const length = tree.bytes.reduce((sum, part) => sum + part.length, taggedStart + text.length)
  const bytes = new Uint8Array(length)
  bytes[0] = tagged
  viewOf(bytes).setUint32(1, text.length)
  bytes.set(text, taggedStart)
  let offset = taggedStart + text.length
  for (const part of tree.bytes) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
