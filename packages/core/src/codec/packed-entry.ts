import type { Codec } from '../codec.js'
import { createEntry, type Entry, graceOf, type TagVersion } from '../entry.js'
import { CacheError } from '../errors.js'
import { crc32 } from './crc32.js'
import { plainCodec } from './plain-codec.js'
import { bytesOf, textOf } from './utf8.js'

/*
 * Numbers are big-endian, instants and durations doubles in milliseconds.
 *
 *  0  magic, version of this layout
 *  2  CRC-32 of the key and of all that follows
 *  6  when the entry was made
 * 14  ttl
 * 22  grace
 * 30  how long its load took, a 32-bit integer
 * 34  how long the details are, a 32-bit integer
 * 38  details: JSON of [tags as [name, version] pairs, layout version]; nothing if there are none
 *     the length of the codec's name in one byte, the name, the codec's bytes
 */
const magic = 0xfe
const layoutVersion = 1
const checked = 6
const headLength = 38

/**
 * The bytes of a whole entry, for stores that keep bytes under keys. They are bound to the key, carry a checksum, and
 * are the same on every platform. A value that cannot be kept is a `CacheError` with the code `ERR_VALUE`.
 */
export function packEntry(key: string, entry: Entry, codec: Codec = plainCodec): Uint8Array {
  const body = codec.encode(entry.value, key)
  const details = detailsOf(entry)
  const name = bytesOf(codec.name)
  const start = headLength + details.length + 1 + name.length
  const bytes = new Uint8Array(start + body.length)
  const view = viewOf(bytes)
  bytes[0] = magic
  bytes[1] = layoutVersion
  view.setFloat64(6, entry.createdAt)
  view.setFloat64(14, entry.staleAt - entry.createdAt)
  view.setFloat64(22, graceOf(entry))
  view.setUint32(30, Math.min(entry.loadMs, 0xffffffff))
  view.setUint32(34, details.length)
  bytes.set(details, headLength)
  bytes[headLength + details.length] = name.length
  bytes.set(name, start - name.length)
  bytes.set(body, start)
  view.setUint32(2, checksum(key, bytes))
  return bytes
}

/**
 * The entry that {@link packEntry} made the bytes of, which shares no memory with them. Anything else is a
 * `CacheError` with the code `ERR_POISONED`: bytes that are damaged, of another key, another codec or another layout.
 */
export function unpackEntry(key: string, bytes: Uint8Array, codec: Codec = plainCodec): Entry {
  const fail = (what: string, cause?: unknown): never => {
    throw new CacheError('ERR_POISONED', `the bytes of this key ${what}`, { key, cause })
  }
  if (bytes.length <= headLength || bytes[0] !== magic) return fail('are not an entry of this cache')
  if (bytes[1] !== layoutVersion) return fail(`have the layout ${bytes[1]}, not ${layoutVersion}`)
  const view = viewOf(bytes)
  if (view.getUint32(2) !== checksum(key, bytes)) return fail('are damaged: the checksum does not fit')
  const end = headLength + view.getUint32(34)
  const start = end + 1 + bytes[end]!
  try {
    const name = textOf(bytes.subarray(end + 1, start))
    if (name !== codec.name) return fail(`were written by the codec '${name}', not by '${codec.name}'`)
    const [pairs, version] = (
      end === headLength ? [] : JSON.parse(textOf(bytes.subarray(headLength, end)))
    ) as [pairs?: readonly [string, string][] | null, version?: number | string]
    return createEntry({
      value: codec.decode(bytes.subarray(start), key),
      createdAt: view.getFloat64(6),
      ttl: view.getFloat64(14),
      grace: view.getFloat64(22),
      loadMs: view.getUint32(30),
      tags: pairs?.map(([name, version]): TagVersion => ({ name, version })),
      version,
    })
  } catch (cause) {
    if (cause instanceof CacheError && cause.code === 'ERR_POISONED') throw cause
    return fail('do not decode', cause)
  }
}

const none = new Uint8Array()

function detailsOf({ tags, version }: Entry): Uint8Array {
  if (tags === undefined && version === undefined) return none
  const pairs = tags?.map((tag) => [tag.name, tag.version]) ?? null
  return bytesOf(JSON.stringify(version === undefined ? [pairs] : [pairs, version]))
}

const checksum = (key: string, bytes: Uint8Array): number =>
  crc32(bytes.subarray(checked), crc32(bytesOf(JSON.stringify(key))))

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
