import { crc32 } from 'node:zlib'
import { CacheError, type Codec, createEntry, type Entry, graceOf, type TagVersion } from '@flow-cache/core'

/*
 * A value in Redis. Numbers are big-endian, instants and durations doubles in milliseconds, instants on the server's
 * clock. Scripts patch the part before the checksum and leave the rest alone.
 *
 *  0  magic, version of this layout, whether an entry follows (0 or 1), 0
 *  4  the lease's token, 24 bytes, zeros for none
 * 28  when the lease ends, or 0
 * 36  when `expire` made the entry stale, or 0
 * 44  CRC-32 of the key and of all that follows
 * 48  when the entry was made
 * 56  ttl
 * 64  grace
 * 72  how long its load took, a 32-bit integer
 * 76  how long the details are, a 32-bit integer
 * 80  details: JSON of [tags as [name, version] pairs, layout version]; nothing if there are none
 *     the length of the codec's name in one byte, the name, the codec's bytes
 */
const magic = 0xfc
const layoutVersion = 1
/** How long the part is that scripts look at and patch. */
const headLength = 80
const checked = 48
const tokenLength = 24
/** A lease without an entry ends where the checksum would be. */
export const aloneLength = 44

/** How long after its end a value stays in Redis: what has ended is told by its instants, not by its absence. */
export const slack = 2_000

/** The longest a key stays without being written anew: nothing is there for ever. */
export const longestStay: number = 400 * 24 * 3_600_000

/** The longest a lease is lent for without being renewed: one that ends later is damage, which nobody waits for. */
export const longestLease: number = 24 * 3_600_000

/** How long Redis is to keep something that ends at `end`, in whole milliseconds; 0 if it has ended. */
export function stayUntil(end: number, now: number): number {
  return end <= now ? 0 : Math.min(longestStay, Math.ceil(end - now) + slack)
}

/** The bytes for an entry. `offset`: the server's time less ours. */
export function frameOf(key: string, entry: Entry, codec: Codec, offset: number): Buffer {
  const body = codec.encode(entry.value, key)
  const details = detailsOf(entry)
  const { name } = codec
  const start = headLength + details.length + 1 + name.length
  const bytes = Buffer.allocUnsafe(start + body.length)
  for (let i = 3; i < 44; i++) bytes[i] = 0
  bytes[0] = magic
  bytes[1] = layoutVersion
  bytes[2] = 1
  bytes.writeDoubleBE(entry.createdAt + offset, 48)
  bytes.writeDoubleBE(entry.staleAt - entry.createdAt, 56)
  bytes.writeDoubleBE(graceOf(entry), 64)
  bytes.writeUInt32BE(Math.min(entry.loadMs, 0xffffffff), 72)
  bytes.writeUInt32BE(details.length, 76)
  if (details.length > 0) bytes.set(details, headLength)
  bytes[start - 1 - name.length] = name.length
  writeText(name, bytes, start - name.length)
  bytes.set(body, start)
  bytes.writeUInt32BE(checksum(key, bytes), 44)
  return bytes
}

/** A right to a key, until an instant on the server's clock. */
export interface Lease {
  readonly token: string
  readonly until: number
}

/** Leases one after the other, each the frame of a lease alone. */
export function leasesOf(leases: readonly Lease[]): Buffer {
  const bytes = Buffer.alloc(leases.length * aloneLength)
  for (let i = 0; i < leases.length; i++) {
    const { token, until } = leases[i]!
    const start = i * aloneLength
    bytes[start] = magic
    bytes[start + 1] = layoutVersion
    writeText(token, bytes, start + 4)
    bytes.writeDoubleBE(until, start + 28)
  }
  return bytes
}

/** Refuses a token that has no place in a frame. */
export function checkToken(token: string): void {
  if (token === '' || token.length > tokenLength || !/^[!-~]*$/.test(token)) {
    throw new RangeError(`a lease token must have 1 to ${tokenLength} visible ASCII characters`)
  }
}

/** What bytes in Redis say. */
export interface Frame {
  readonly entry: Entry | undefined
  /** The holder of the lease, `''` for nobody. */
  readonly token: string
  /** When the lease ends, on our clock. */
  readonly leaseUntil: number
}

/** Reads bytes from Redis. Anything but what this module wrote for this key is a `CacheError`, `ERR_POISONED`. */
export function parseFrame(
  key: string,
  bytes: Buffer,
  codec: Codec,
  offset: number,
  last: LastDetails,
): Frame {
  if (bytes.length < aloneLength || bytes[0] !== magic) throw poisoned(key, 'are not an entry of this cache')
  if (bytes[1] !== layoutVersion) throw poisoned(key, `have the layout ${bytes[1]}, not ${layoutVersion}`)
  if (bytes[2]! > 1 || bytes[3] !== 0) throw poisoned(key, 'are damaged')
  const until = bytes.readDoubleBE(28)
  const leased = bytes[4] !== 0
  if (leased ? !(until > 0) : !isZero(bytes, 4, 36)) throw poisoned(key, 'are damaged: half a lease')
  const end = leased ? bytes.indexOf(0, 4) : 4
  const token = leased ? bytes.toString('latin1', 4, end > 4 && end < 28 ? end : 28) : ''
  const leaseUntil = until - offset
  if (bytes[2] === 0) {
    if (bytes.length !== aloneLength || !leased) throw poisoned(key, 'are damaged: no entry and no lease')
    return { entry: undefined, token, leaseUntil }
  }
  if (bytes.length <= headLength || bytes.readUInt32BE(44) !== checksum(key, bytes)) {
    throw poisoned(key, 'are damaged: the checksum does not fit')
  }
  const createdAt = bytes.readDoubleBE(48)
  const expiredAt = bytes.readDoubleBE(36)
  if (!Object.is(expiredAt, 0) && !(expiredAt >= createdAt - 60_000 && expiredAt < createdAt + 1e12)) {
    throw poisoned(key, 'are damaged: made stale at an impossible time')
  }
  const ttl = expiredAt === 0 ? bytes.readDoubleBE(56) : Math.max(0, Math.floor(expiredAt - createdAt))
  const grace = bytes.readDoubleBE(64)
  if (!(Number.isFinite(createdAt) && ttl >= 0 && grace >= 0)) {
    throw poisoned(key, 'are damaged: an impossible time to live')
  }
  const detailsEnd = headLength + bytes.readUInt32BE(76)
  const nameEnd = detailsEnd + 1 + (bytes[detailsEnd] ?? 0)
  if (!isText(codec.name, bytes, detailsEnd + 1, nameEnd)) {
    const name = bytes.toString('latin1', detailsEnd + 1, nameEnd)
    throw poisoned(key, `were written by the codec '${name}', not by '${codec.name}'`)
  }
  try {
    const [tags, version] = last.read(bytes, detailsEnd)
    const entry = createEntry({
      value: codec.decode(bytes.subarray(nameEnd), key),
      createdAt: createdAt - offset,
      ttl,
      grace,
      loadMs: bytes.readUInt32BE(72),
      tags,
      version,
    })
    return { entry, token, leaseUntil }
  } catch (cause) {
    throw poisoned(key, 'do not decode', cause)
  }
}

/** What lies under a key, and is not what this module writes. */
export const poisoned = (key: string, what: string, cause?: unknown): CacheError =>
  new CacheError('ERR_POISONED', `the bytes under this key in Redis ${what}`, { key, cause })

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}

/** Writes a short Latin-1 text. */
function writeText(text: string, bytes: Buffer, start: number): void {
  for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i)
}

/** Whether these bytes are this Latin-1 text. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== text.length) return false
  for (let i = start; i < end; i++) if (bytes[i] !== text.charCodeAt(i - start)) return false
  return true
}

function checksum(key: string, bytes: Buffer): number {
  return crc32(bytes.subarray(checked), crc32(key))
}

type Details = readonly [tags: readonly TagVersion[] | undefined, version: number | string | undefined]

const noDetails = Buffer.alloc(0)
const none: Details = [undefined, undefined]

let written: { readonly of: Entry; readonly bytes: Buffer } | undefined

/** The bytes of an entry's details. Most entries of a cache have the same, and share them. */
function detailsOf(entry: Entry): Buffer {
  const { tags, version } = entry
  if (tags === undefined && version === undefined) return noDetails
  const before = written?.of
  if (before !== undefined && before.version === version && areSame(before.tags, tags)) return written!.bytes
  const pairs = tags?.map((tag) => [tag.name, tag.version]) ?? null
  const bytes = Buffer.from(JSON.stringify(version === undefined ? [pairs] : [pairs, version]))
  written = { of: entry, bytes }
  return bytes
}

function areSame(a: Entry['tags'], b: Entry['tags']): boolean {
  return a === b || (a?.length === b?.length && a!.every((tag, i) => tag === b![i]))
}

/**
 * The details that a store read last: most entries of a cache have the same tags, and then share them. Never shared
 * by two stores, as a cache notes in them what it knows.
 */
export class LastDetails {
  #bytes: Buffer = noDetails
  #details: Details = none

  /** What `bytes` say, from the end of the head to `end`. */
  read(bytes: Buffer, end: number): Details {
    if (end === headLength) return none
    if (this.#isLast(bytes, end)) return this.#details
    const own = bytes.subarray(headLength, end)
    const [pairs, version] = JSON.parse(own.toString()) as [[string, string][] | null, (number | string)?]
    if (!['undefined', 'number', 'string'].includes(typeof version)) {
      throw new SyntaxError('the version of the layout is neither a number nor a text')
    }
    const tags = pairs?.map(([name, ofTag]) => {
      if (typeof name === 'string' && typeof ofTag === 'string') return { name, version: ofTag }
      throw new SyntaxError('a tag is not two texts')
    })
    this.#bytes = Buffer.from(own)
    this.#details = [tags, version]
    return this.#details
  }

  #isLast(bytes: Buffer, end: number): boolean {
    const last = this.#bytes
    if (last.length !== end - headLength) return false
    for (let i = 0; i < last.length; i++) if (last[i] !== bytes[headLength + i]) return false
    return true
  }
}
