import { crc32 } from 'node:zlib'
import { CacheError, type Codec, createEntry, type Entry, graceOf } from '@flow-cache/core'

/*
 * The text for an entry: `fc1`, a CRC-32 of what follows as hexadecimal, and JSON of
 * [key, codec, created at, ttl, grace, load time, tags as [name, version] pairs, layout version, the codec's bytes as
 * base64]. A ttl or a grace that never ends is null.
 */
const start = 'fc1'

type Fields = readonly [
  key: string,
  codec: string,
  createdAt: number,
  ttl: number | null,
  grace: number | null,
  loadMs: number,
  tags: readonly (readonly [name: string, version: string])[] | null,
  version: number | string | null,
  body: string,
]

/** The text for an entry. A value that cannot be kept is a `CacheError`, `ERR_VALUE`. */
export function textOf(key: string, entry: Entry, codec: Codec): string {
  const bytes = codec.encode(entry.value, key)
  const fields: Fields = [
    key,
    codec.name,
    entry.createdAt,
    orNull(entry.staleAt - entry.createdAt),
    orNull(graceOf(entry)),
    entry.loadMs,
    entry.tags?.map(({ name, version }) => [name, version] as const) ?? null,
    entry.version ?? null,
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  ]
  const json = JSON.stringify(fields)
  return `${start}${checksum(json)}${json}`
}

/** Reads what an adapter has under a key. Anything but what `textOf` wrote for it is a `CacheError`, `ERR_POISONED`. */
export function entryOf(key: string, text: unknown, codec: Codec): Entry | undefined {
  if (text === undefined || text === null) return undefined
  const fail = (what: string, cause?: unknown): never => {
    throw new CacheError('ERR_POISONED', `what the adapter has under this key ${what}`, { key, cause })
  }
  if (typeof text !== 'string' || !text.startsWith(start)) return fail('is no entry of this cache')
  const json = text.slice(start.length + 8)
  if (text.slice(start.length, start.length + 8) !== checksum(json)) return fail('is damaged')
  try {
    const [owner, name, createdAt, ttl, grace, loadMs, tags, version, body] = JSON.parse(json) as Fields
    if (owner !== key) return fail('belongs to another key')
    if (name !== codec.name) return fail(`was written by the codec '${name}', not by '${codec.name}'`)
    return createEntry({
      value: codec.decode(Buffer.from(body, 'base64'), key),
      createdAt,
      ttl: ttl ?? Infinity,
      grace: grace ?? Infinity,
      loadMs,
      tags: tags?.map(([name, version]) => ({ name, version })),
      version: version ?? undefined,
    })
  } catch (cause) {
    if (cause instanceof CacheError) throw cause
    return fail('does not decode', cause)
  }
}

const orNull = (ms: number): number | null => (ms === Infinity ? null : ms)

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0')
