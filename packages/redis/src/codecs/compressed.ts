import { constants } from 'node:buffer'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CacheError, type Codec } from '@flow-cache/core'
import { wholeNumber } from './whole-number.js'

/** What {@link compressed} takes. */
export interface CompressionOptions {
  /** Bytes up to this many are left as they are. Default: 1,024. */
  readonly threshold?: number | undefined
  /** The longest value, in bytes before compression: what would become longer is not decoded. Default: 16 MiB. */
  readonly maxBytes?: number | undefined
}

/** One of these begins the bytes. */
const raw = 0
const deflated = 1

/**
 * A codec whose bytes are compressed where that makes them fewer: deflate at its quickest level, at once and on this
 * thread. Do not put secrets and what strangers wrote into one value: how short it gets tells something about both.
 */
export function compressed(codec: Codec, options: CompressionOptions = {}): Codec {
  const threshold = wholeNumber('threshold', options.threshold ?? 1_024, 0)
  const maxBytes = wholeNumber('maxBytes', options.maxBytes ?? 16_777_216, 1)
  const maxOutputLength = Math.min(maxBytes, constants.MAX_LENGTH)
  return {
    name: `${codec.name}+z`,

    encode(value: unknown, key: string): Uint8Array {
      const bytes = codec.encode(value, key)
      if (bytes.length > maxBytes) {
        // It could not be read again.
        throw new CacheError('ERR_VALUE', `value is ${bytes.length} bytes, more than maxBytes, ${maxBytes}`, {
          key,
        })
      }
      if (bytes.length > threshold) {
        const fewer = deflateRawSync(bytes, { level: 1 })
        if (fewer.length < bytes.length) return marked(deflated, fewer)
      }
      return marked(raw, bytes)
    },

    decode(bytes: Uint8Array, key: string): unknown {
      const rest = bytes.subarray(1)
      if (bytes[0] === raw) return codec.decode(rest, key)
      if (bytes[0] === deflated) return codec.decode(inflateRawSync(rest, { maxOutputLength }), key)
      throw new SyntaxError('these bytes are not compressed ones')
    },
  }
}

function marked(marker: number, bytes: Uint8Array): Uint8Array {
  const all = Buffer.allocUnsafe(bytes.length + 1)
  all[0] = marker
  all.set(bytes, 1)
  return all
}
