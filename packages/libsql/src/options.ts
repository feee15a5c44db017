import { type Clock, type Codec, type Duration, systemClock, toMs } from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'

/** What {@link libsqlStore} takes. */
export interface LibsqlStoreOptions {
  /**
   * The file, which is made with its folder if it is not there. It is a path, never an address. It belongs to caches alone: any number of
   * processes of this machine may have it open. `':memory:'` is a store that nobody shares and that ends with the process.
   */
  readonly path: string
  /** What turns values into bytes. Default: `plainCodec`. */
  readonly codec?: Codec | undefined
  /** Encrypts the file with AES-256. The key is as long as you like; without it, or with another, the file is no database. */
  readonly encryptionKey?: string | undefined
  /**
   * How much of the file may be in use, in bytes. What was written longest ago goes first, unless this process has
   * read it since. Default: 256 MiB.
   */
  readonly maxBytes?: number | undefined
  /** How long after one removal of what has expired the next begins. `Infinity`: none. Default: `'30s'`. */
  readonly sweepInterval?: Duration | undefined
  /** How long it takes at most until this process learns what another one changed. Default: `'20ms'`. */
  readonly pollInterval?: Duration | undefined
  /**
   * How long a write waits for the one of another process, with the event loop standing still. After that it fails.
   * Default: `'100ms'`.
   */
  readonly busyTimeout?: Duration | undefined
  /** How many changes are kept for processes that were busy or asleep. Default: 10,000. */
  readonly logLength?: number | undefined
  /** How long a tag outlives its last use, to a day. Entries with tags count no longer than that. Default: 30 days. */
  readonly tagTtl?: Duration | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** The names of {@link LibsqlStoreOptions}. */
export const storeOptionNames: readonly string[] = [
  'path',
  'codec',
  'encryptionKey',
  'maxBytes',
  'sweepInterval',
  'pollInterval',
  'busyTimeout',
  'logLength',
  'tagTtl',
  'clock',
] satisfies readonly (keyof LibsqlStoreOptions)[]

/** The options with nothing left out, durations in milliseconds. */
export interface Settings {
  readonly path: string
  readonly codec: Codec
  readonly encryptionKey: string | undefined
  readonly maxBytes: number
  readonly sweepInterval: number
  readonly pollInterval: number
  readonly busyTimeout: number
  readonly logLength: number
  readonly tagTtl: number
  readonly clock: Clock
}

/** The least a file with its tables takes, and a few entries. */
const leastBytes = 131_072

/** What options ask for. Anything wrong is a `TypeError` or a `RangeError` that names it. */
export function settingsOf(options: LibsqlStoreOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('libsqlStore takes an object of options')
  for (const name of Object.keys(options)) {
    if (!storeOptionNames.includes(name))
      throw new TypeError(`unknown option '${name}' in libsqlStore; known are ${storeOptionNames.join(', ')}`)
  }
  const { path, codec = plainCodec, encryptionKey, clock = systemClock } = options
  checkPath(path)
  if (encryptionKey !== undefined) checkText(encryptionKey, 'encryptionKey')
  if (
    typeof codec?.encode !== 'function' ||
    typeof codec.decode !== 'function' ||
    typeof codec.name !== 'string'
  )
    throw new TypeError(
      'codec must have a name, encode(value, key) and decode(bytes, key), as jsonCodec does',
    )
  for (const name of ['now', 'setTimer', 'clearTimer'] as const) {
    if (typeof clock?.[name] !== 'function')
      throw new TypeError(`clock must have ${name}(), as systemClock does`)
  }
  return {
    path,
    codec,
    encryptionKey,
    clock,
    maxBytes: wholeNumber(options.maxBytes ?? 268_435_456, 'maxBytes', leastBytes),
    logLength: wholeNumber(options.logLength ?? 10_000, 'logLength', 1),
    sweepInterval: positive(options.sweepInterval ?? '30s', 'sweepInterval'),
    pollInterval: positive(options.pollInterval ?? '20ms', 'pollInterval'),
    busyTimeout: toMs(options.busyTimeout ?? '100ms', 'busyTimeout'),
    tagTtl: positive(options.tagTtl ?? '30d', 'tagTtl'),
  }
}

function checkText(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`)
  if (value === '') throw new RangeError(`${name} must not be empty`)
}

/** A path alone: libsql would go to the network for an address, and end the process for a NUL. */
function checkPath(path: unknown): asserts path is string {
  checkText(path, 'path')
  if (path.includes('\0')) throw new RangeError('path must not contain a NUL')
  // One letter is a drive of Windows.
  const scheme = /^[a-z][a-z\d+.-]+:/i.exec(path)?.[0]
  if (scheme === undefined) return
  throw new RangeError(
    `path must be a file's, and '${scheme}' begins an address; a file of that name is './${path}'`,
  )
}

function wholeNumber(value: number, name: string, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RangeError(`${name} must be a whole number of at least ${least}, got ${value}`)
}

function positive(value: Duration, name: string): number {
  const ms = toMs(value, name)
  if (ms === 0) throw new RangeError(`${name} must not be 0`)
  return ms
}
