import type { Cache, Clock, Duration, Journal, Random } from '@flow-cache/core'
import { systemClock, systemRandom, toMs } from '@flow-cache/core'
import { checkClock, checkMethods, checkNames } from '../checks.js'
import { memoryJournal } from '../journals/memory-journal.js'
import type { Deletes, Reads, ReadsMany, Writes, WritesMany } from '../origin.js'

/** What write-behind needs of an origin; with `writeMany` and `readMany` it uses them. */
export type WriteBehindOrigin<V> = Reads<V> &
  Writes<V> &
  Deletes &
  Partial<ReadsMany<V>> &
  Partial<WritesMany<V>>

/** When and how often a failed write is tried again. */
export interface RetryOptions {
  /** How often one operation is tried before it becomes a dead letter. `Infinity`: always. Default: 10. */
  readonly attempts?: number | undefined
  /** The longest pause after the first failure; doubles with each one. Default: `'200ms'`. */
  readonly minDelay?: Duration | undefined
  /** What the pause grows to at most. Each pause is a random share of its length. Default: `'30s'`. */
  readonly maxDelay?: Duration | undefined
  /** Whether an error is worth another try; where not, the operation is a dead letter at once. Default: always. */
  readonly retryable?: ((error: unknown, key: string) => boolean) | undefined
}

/** What becomes of a write that finds `maxPending` operations pending. */
export type FullPolicy = 'block' | 'reject' | 'write-through'

/** What {@link WriteBehindCache} takes. */
export interface WriteBehindOptions<V> {
  /** Where values are read from. It stays yours: `close` leaves it open. */
  readonly cache: Cache
  /** Where the truth is. */
  readonly origin: WriteBehindOrigin<V>
  /** Keeps what is not yet at the origin, for this cache alone; `close` closes it. Default: `memoryJournal()`. */
  readonly journal?: Journal | undefined
  /**
   * How long a write waits at most before it is tried, and in which writes of one key become one. Earlier when half of
   * `maxPending` is pending. `0`: at once. Default: `'5s'`.
   */
  readonly flushInterval?: Duration | undefined
  /** How many operations are claimed at once, and how many puts one `writeMany` gets. Default: 100. */
  readonly maxBatch?: number | undefined
  /** How many calls of the origin are under way at once. Default: 4. */
  readonly concurrency?: number | undefined
  /**
   * How many keys may be pending or dead letters at once, in all processes that share the journal. A write of a key
   * that is pending already always finds room. Default: 10,000.
   */
  readonly maxPending?: number | undefined
  /**
   * What becomes of a write that finds no room.
   *
   * - `'block'` (default): it waits, in order, for `blockTimeout`; then `ERR_FULL`.
   * - `'reject'`: `ERR_FULL` at once.
   * - `'write-through'`: it is accepted and waits until it is at the origin; after `blockTimeout` it is `ERR_FULL`,
   *   and still pending.
   */
  readonly whenFull?: FullPolicy | undefined
  /** How long a write waits for room. `Infinity`: for ever. Default: `'10s'`. */
  readonly blockTimeout?: Duration | undefined
  readonly retry?: RetryOptions | undefined
  /**
   * How long one call of the origin may take. Then its signal aborts and it counts as failed; an origin that goes on
   * nevertheless is guarded by the sequence alone. Default: `'10s'`.
   */
  readonly timeout?: Duration | undefined
  /**
   * For how long claimed operations are this process's, where several share the journal. What a process that died had
   * claimed is done by another after this. More than `timeout`. Default: `'30s'`.
   */
  readonly lease?: Duration | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

/** What counts where an option is not given. */
export const defaults: Readonly<{
  flushInterval: Duration
  maxBatch: number
  concurrency: number
  maxPending: number
  whenFull: FullPolicy
  blockTimeout: Duration
  timeout: Duration
  lease: Duration
  attempts: number
  minDelay: Duration
  maxDelay: Duration
  closeDeadline: Duration
}> = Object.freeze({
  flushInterval: '5s',
  maxBatch: 100,
  concurrency: 4,
  maxPending: 10_000,
  whenFull: 'block',
  blockTimeout: '10s',
  timeout: '10s',
  lease: '30s',
  attempts: 10,
  minDelay: '200ms',
  maxDelay: '30s',
  closeDeadline: '10s',
})

/** The options as they are used: checked, in milliseconds. */
export interface Settings<V> {
  readonly cache: Cache
  readonly origin: WriteBehindOrigin<V>
  readonly journal: Journal
  readonly flushInterval: number
  readonly maxBatch: number
  readonly concurrency: number
  readonly maxPending: number
  readonly whenFull: FullPolicy
  readonly blockTimeout: number
  readonly timeout: number
  readonly lease: number
  readonly attempts: number
  readonly minDelay: number
  readonly maxDelay: number
  readonly retryable: (error: unknown, key: string) => boolean
  readonly clock: Clock
  readonly random: Random
}

const names = [
  'cache',
  'origin',
  'journal',
  'flushInterval',
  'maxBatch',
  'concurrency',
  'maxPending',
  'whenFull',
  'blockTimeout',
  'retry',
  'timeout',
  'lease',
  'clock',
  'random',
]
const retryNames = ['attempts', 'minDelay', 'maxDelay', 'retryable']

/** Checks the options and fills in what is not given. */
export function settingsOf<V>(options: WriteBehindOptions<V>): Settings<V> {
  checkNames(options, names, 'WriteBehindCache')
  const { cache, origin, retry = {}, whenFull = defaults.whenFull, clock = systemClock } = options
  checkNames(retry, retryNames, 'retry')
  checkMethods(cache, 'cache', ['getOrSet', 'getOrSetMany', 'set', 'delete', 'deleteMany'])
  checkMethods(origin, 'origin', ['read', 'write', 'delete'])
  checkClock(clock)
  const { random = systemRandom, journal = memoryJournal({ clock }) } = options
  if (typeof random !== 'function') throw new TypeError('random must be a function')
  checkMethods(journal, 'journal', ['put', 'claim', 'ack', 'fail', 'read', 'counts', 'close'])
  if (!['block', 'reject', 'write-through'].includes(whenFull)) {
    throw new TypeError(`whenFull must be 'block', 'reject' or 'write-through', got ${whenFull as string}`)
  }
  const { retryable = () => true } = retry
  if (typeof retryable !== 'function') throw new TypeError('retry.retryable must be a function')
  const timeout = toMs(options.timeout ?? defaults.timeout, 'timeout')
  if (timeout === 0) throw new RangeError('timeout must be longer than 0')
  const lease = toMs(options.lease ?? defaults.lease, 'lease')
  if (!(lease > timeout))
    throw new RangeError(`lease must be longer than timeout, got ${lease} and ${timeout} ms`)
  if (lease === Infinity) throw new RangeError('lease must end: what a dead process had claimed waits for it')
  const minDelay = toMs(retry.minDelay ?? defaults.minDelay, 'retry.minDelay')
  const maxDelay = toMs(retry.maxDelay ?? defaults.maxDelay, 'retry.maxDelay')
  if (minDelay > maxDelay) throw new RangeError('retry.minDelay must not be longer than retry.maxDelay')
  return {
    cache,
    origin,
    journal,
    flushInterval: toMs(options.flushInterval ?? defaults.flushInterval, 'flushInterval'),
    maxBatch: whole(options.maxBatch ?? defaults.maxBatch, 'maxBatch'),
    concurrency: whole(options.concurrency ?? defaults.concurrency, 'concurrency'),
    maxPending: whole(options.maxPending ?? defaults.maxPending, 'maxPending'),
    whenFull,
    blockTimeout: toMs(options.blockTimeout ?? defaults.blockTimeout, 'blockTimeout'),
    timeout,
    lease,
    attempts:
      retry.attempts === Infinity ? Infinity : whole(retry.attempts ?? defaults.attempts, 'retry.attempts'),
    minDelay,
    maxDelay,
    retryable,
    clock,
    random,
  }
}

function whole(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`${name} must be a whole number of at least 1, got ${String(value)}`)
}
