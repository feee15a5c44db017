import { CacheError, type Codec } from '@flow-cache/core'
import { wholeNumber } from './whole-number.js'

/** A codec that refuses values of more than `maxBytes` bytes; long texts and binary before they are encoded. */
export function limited(codec: Codec, maxBytes: number): Codec {
  wholeNumber('maxBytes', maxBytes, 1)
  const check = (size: number, key: string, least: string): void => {
    if (size <= maxBytes) return
    const message = `value is ${least}${size} bytes, and may be ${maxBytes}: keep less of it, or raise the limit`
    throw new CacheError('ERR_VALUE', message, { key })
  }
  return {
    name: codec.name,

    encode(value: unknown, key: string): Uint8Array {
      check(leastSizeOf(value), key, 'at least ')
      const bytes = codec.encode(value, key)
      check(bytes.length, key, '')
      return bytes
    },

    decode: (bytes, key) => codec.decode(bytes, key),
  }
}

/** How many bytes it takes at least, where that can be told at once: no character of a text takes less than one. */
function leastSizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : 0
}
