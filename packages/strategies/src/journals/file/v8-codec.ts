import { deserialize, serialize } from 'node:v8'
import { CacheError, cloneOf, type Codec } from '@flow-cache/core'

/**
 * Plain data as the engine writes it. Newer versions of Node read what older ones wrote, not the other way round, and
 * Bun has a format of its own. Functions, symbols and instances of classes are `ERR_VALUE`, with their path; an object
 * without a prototype comes back with one.
 */
export const v8Codec: Codec = {
  name: 'v8',
  encode(value, key) {
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
      // What the engine would leave out or change in silence is refused here.
      try {
        return serialize(cloneOf(value))
      } catch (error) {
        if (error instanceof CacheError) throw new CacheError('ERR_VALUE', error.message, { key })
        throw new CacheError('ERR_VALUE', 'the value cannot be kept; the cause says why', {
          key,
          cause: error,
        })
      }
    }
    return serialize(value)
  },
  // A copy, because typed arrays would share the bytes.
  decode: (bytes) => deserialize(Uint8Array.prototype.slice.call(bytes)),
}
