import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Codec } from '@flow-cache/core'

/** What {@link encrypted} takes. */
export interface EncryptionOptions {
  /**
   * The keys by their ids: 32 bytes each, or those as base64 or hex. All of them decrypt, so that a new one can be
   * added and an old one taken away when nothing is left that was written with it. An id stands in the bytes.
   */
  readonly keys: Readonly<Record<string, Uint8Array | string>>
  /** The id of the key that encrypts. Default: the only one. */
  readonly current?: string | undefined
}

/*
 * The bytes: the length of the key's id in one byte, the id, a nonce, a tag, what is encrypted. The tag vouches also
 * for the name of the codec and for the cache key, so that bytes under another key do not open.
 */
const algorithm = 'aes-256-gcm'
const keyLength = 32
const nonceLength = 12
const tagLength = 16

/**
 * A codec whose bytes are encrypted with AES-256-GCM and bound to the cache key. Compress inside, not outside of it:
 * what is encrypted does not get shorter. The length of a value and the cache key itself stay visible.
 *
 * Nonces are random, so use a key for no more than 2^32 writes, then add a new one.
 */
export function encrypted(codec: Codec, options: EncryptionOptions): Codec {
  const keys = keysOf(options)
  const id = currentOf(options, keys)
  const head = Buffer.from(`\0${id}`)
  head[0] = head.length - 1
  const secret = keys.get(id)!
  const name = `${codec.name}+e`
  return {
    name,

    encode(value: unknown, key: string): Uint8Array {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, secret, nonce, { authTagLength: tagLength })
      cipher.setAAD(boundTo(name, key))
      const secrets = cipher.update(codec.encode(value, key))
      cipher.final()
      return Buffer.concat([head, nonce, cipher.getAuthTag(), secrets])
    },

    decode(bytes: Uint8Array, key: string): unknown {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const start = 1 + (buffer[0] ?? 0)
      const body = start + nonceLength + tagLength
      if (buffer.length < body) throw new SyntaxError('these bytes are cut off, or not encrypted')
      const id = buffer.toString('utf8', 1, start)
      const secret = keys.get(id)
      if (secret === undefined) throw new Error(`no key has the id ${JSON.stringify(id)}`)
      const nonce = buffer.subarray(start, start + nonceLength)
      const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagLength })
      decipher.setAAD(boundTo(name, key))
      decipher.setAuthTag(buffer.subarray(start + nonceLength, body))
      const plain = decipher.update(buffer.subarray(body))
      try {
        decipher.final()
      } catch (cause) {
        throw new Error('these bytes were changed, or written with another key or for another entry', {
          cause,
        })
      }
      return codec.decode(plain, key)
    },
  }
}

/** In UTF-16, where no two keys are the same bytes: half of a surrogate pair has no UTF-8. */
const boundTo = (name: string, key: string): Buffer => Buffer.from(`${name}\0${key}`, 'utf16le')

function keysOf({ keys }: EncryptionOptions): ReadonlyMap<string, KeyObject> {
  if (typeof keys !== 'object' || keys === null)
    throw new TypeError('keys must be an object of keys by their ids')
  const made = Object.entries(keys).map(([id, key]) => [idOf(id), secretOf(id, key)] as const)
  if (made.length === 0) throw new RangeError('keys must hold at least one key')
  return new Map(made)
}

function idOf(id: string): string {
  const length = Buffer.byteLength(id)
  if (length >= 1 && length <= 255 && Buffer.from(id).toString() === id) return id
  throw new RangeError(`an id in keys must be text of 1 to 255 bytes, got ${JSON.stringify(id)}`)
}

// A message never holds any of a key.
function secretOf(id: string, key: unknown): KeyObject {
  const name = `keys[${JSON.stringify(id)}]`
  const bytes = typeof key === 'string' ? bytesOf(key) : key
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be bytes or text, got ${typeof key}`)
  if (bytes.length === keyLength) return createSecretKey(Buffer.from(bytes))
  throw new RangeError(
    typeof key === 'string'
      ? `${name} must be ${keyLength} bytes as base64 or hex`
      : `${name} must be ${keyLength} bytes, got ${bytes.length}`,
  )
}

const hex = /^[\da-f]{64}$/i
/** Of 32 bytes, with or without what fills it up, and in the alphabet for addresses too. */
const base64 = /^[\w+/-]{43}=?$/

function bytesOf(text: string): Uint8Array {
  if (hex.test(text)) return Buffer.from(text, 'hex')
  return Buffer.from(base64.test(text) ? text : '', 'base64')
}

function currentOf({ current }: EncryptionOptions, keys: ReadonlyMap<string, KeyObject>): string {
  const ids = [...keys.keys()]
  const known = ids.map((id) => JSON.stringify(id)).join(', ')
  if (current === undefined) {
    // The order of an object's names is not always the one they were written in: 2 comes before 10 and 'b'.
    if (ids.length === 1) return ids[0]!
    throw new TypeError(`current must say which of the keys encrypts: ${known}`)
  }
  if (keys.has(current)) return current
  throw new RangeError(`current must be the id of one of the keys, ${known}, got ${JSON.stringify(current)}`)
}
