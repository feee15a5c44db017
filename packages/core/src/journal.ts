import type { Awaitable } from './store.js'

/** What is to be done with a key at the origin. */
export type JournalOperation<V = unknown> =
  { readonly kind: 'put'; readonly value: V } | { readonly kind: 'delete' }

/** An operation that was accepted, and its place among all of the journal: a later one has a larger number. */
export type JournalWrite<V = unknown> = JournalOperation<V> & {
  readonly key: string
  readonly sequence: number
}

/** An operation that was handed out to be done. */
export type ClaimedWrite<V = unknown> = JournalWrite<V> & {
  /** How often it has failed so far. */
  readonly attempts: number
}

/** What a journal has for a key: waiting, being done, or given up. */
export type JournaledWrite<V = unknown> = JournalWrite<V> & {
  /** Whether it is a dead letter: nobody tries it any more. */
  readonly dead: boolean
}

/** An operation that was given up, and is kept until somebody retries or drops it. */
export type DeadLetter<V = unknown> = JournalWrite<V> & {
  readonly attempts: number
  /** What the last failure said. */
  readonly error: string
  /** When it was given up, in milliseconds since the epoch. */
  readonly failedAt: number
}

/** Names an operation that was claimed. */
export interface JournalReceipt {
  readonly key: string
  readonly sequence: number
}

/** What becomes of an operation that was claimed and not done. */
export interface JournalFailure extends JournalReceipt {
  /** What went wrong. Absent if it was not tried, which is no attempt. */
  readonly error?: string | undefined
  /** After how many milliseconds it may be claimed again; `'never'` makes it a dead letter. */
  readonly retryIn: number | 'never'
}

/** Everything that was ever accepted, by what has become of it; `accepted` is the sum of the others, at any moment. */
export interface JournalCounts {
  readonly accepted: number
  /** Acknowledged. */
  readonly applied: number
  /** Replaced by a later one of their key before they were acknowledged, dead letters included. */
  readonly coalesced: number
  /** Waiting or being done. */
  readonly pending: number
  readonly deadLettered: number
  /** Dead letters that were dropped. */
  readonly dropped: number
}

/** What a journal in this process has, at once. */
export interface LocalJournal {
  /** See {@link Journal.read}. */
  read(key: string): JournaledWrite | undefined
}

/**
 * Keeps what was accepted and is not yet at the origin: one operation a key, the latest. A later one of the same key
 * replaces it, whatever state it is in, so what is handed out is always the latest, and a key is handed out to one
 * at a time.
 *
 * Promises of every member:
 * - Calls for one key take effect in the order they were made.
 * - Keys are non-empty strings of any characters and never interfere. Values come back equal, and share nothing with
 *   what was given; what cannot be kept is a `CacheError` with the code `ERR_VALUE`.
 * - Any process that shares the journal may finish the work of another. Nothing rests on a process living on.
 * - A failure is a rejection or a throw: `ERR_JOURNAL`, with the cause. After it, the operation may have been
 *   accepted only where the journal is reached over a network or its disk failed twice.
 */
export interface Journal {
  /**
   * Accepts an operation for good: resolves to its sequence when it is as safe as this journal makes anything. Resolves
   * to `undefined` and does nothing if it has nothing for the key, and `limit` keys are pending or dead letters already. A dead letter of the key is replaced. If the key is being done, the new one waits until that is over. One
   * that waits for a retry leaves its place to the new one.
   *
   * Sequences are whole numbers and larger than the clock's microseconds at the time the journal was made, so that
   * they also grow when a journal was lost and begun anew.
   */
  put(key: string, operation: JournalOperation, limit: number): Awaitable<number | undefined>
  /**
   * Hands out up to `limit` operations that may be done now, the ones that have waited longest first. Nobody else gets
   * them for `leaseMs`, or until they are acknowledged or failed. One whose time is over is handed out again.
   */
  claim(limit: number, leaseMs: number): Awaitable<readonly ClaimedWrite[]>
  /** Ends operations that were done. One that was replaced meanwhile ends too, and its successor may be claimed. */
  ack(done: readonly JournalReceipt[]): Awaitable<void>
  /** Gives back operations that were not done. One that was replaced meanwhile is forgotten; its successor waits as long. */
  fail(failures: readonly JournalFailure[]): Awaitable<void>
  /** What it has for these keys; a key of which it has nothing is left out. */
  read(keys: readonly string[]): Awaitable<ReadonlyMap<string, JournaledWrite>>
  /** The dead letters, the oldest first; at most `limit`. */
  deadLetters(limit: number): Awaitable<readonly DeadLetter[]>
  /** Makes dead letters pending again, with no attempts; all when left out. The keys for which that was done. */
  retry(keys?: readonly string[]): Awaitable<readonly string[]>
  /** Forgets dead letters; all when left out. The keys for which that was done. */
  drop(keys?: readonly string[]): Awaitable<readonly string[]>
  counts(): Awaitable<JournalCounts>
  /** Frees files, sockets and timers; what is pending stays as safe as it was. Calls afterwards are `ERR_CLOSED`. */
  close(): Awaitable<void>
  /** Present only if no other process has a part in it. */
  readonly local?: LocalJournal
}
