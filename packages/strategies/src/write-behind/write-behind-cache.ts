import {
  CacheError,
  type DeadLetter,
  type Duration,
  type JournalCounts,
  type JournaledWrite,
  toMs,
} from '@flow-cache/core'
import { checkCount, checkKey, checkKeys } from '../checks.js'
import { Accepting } from './accepting.js'
import { closing } from './closing.js'
import { eventNames, type FlushReport, type WriteBehindEventName, type WriteBehindEvents } from './events.js'
import { Flusher } from './flusher.js'
import { Listeners } from './listeners.js'
import { defaults, type Settings, settingsOf, type WriteBehindOptions } from './options.js'
import { Reading, valueOf } from './reading.js'

/**
 * A cache that takes writes at once and brings them to the origin behind: `set` resolves when the journal has the
 * value, which is as safe as the journal makes it.
 *
 * - What was written is what is read at once, also after the cache has evicted it: first what is pending, then the
 *   cache, then the origin.
 * - Writes of one key become one, the latest; they reach the origin at least once, in their order, one at a time.
 * - What the origin refuses for good becomes a dead letter, which stays readable until it is dropped or overwritten,
 *   and which blocks no other key.
 *
 * Every method that answers with a promise rejects and never throws. Errors: `ERR_FULL` (see `whenFull`),
 * `ERR_JOURNAL` (nothing was accepted, unless `cause` is a lost connection), `ERR_VALUE` (the journal cannot keep the
 * value), `ERR_CLOSED`; from `get` also whatever the origin's `read` rejects with.
 */
export class WriteBehindCache<V = unknown> {
  readonly #settings: Settings<V>
  readonly #listeners: Listeners<WriteBehindEvents> = new Listeners()
  readonly #flusher: Flusher<V>
  readonly #reading: Reading<V>
  readonly #accepting: Accepting<V>
  #closing: Promise<FlushReport> | undefined

  /** Wrong options are a `TypeError` or a `RangeError` that names them. */
  constructor(options: WriteBehindOptions<V>) {
    this.#settings = settingsOf(options)
    this.#reading = new Reading(this.#settings, this.#listeners)
    this.#flusher = new Flusher(this.#settings, this.#listeners, () => this.#accepting.look())
    this.#accepting = new Accepting(this.#settings, this.#listeners, this.#flusher)
  }

  /** The value that was written last, or the cache's, or the origin's; `undefined` if there is none. */
  async get(key: string): Promise<V | undefined> {
    this.#assertOpen()
    const { cache } = this.#settings
    const own = this.#reading.own(text(key))
    if (own !== undefined) return valueOf<V>(own)
    return cache.getOrSet<V | undefined>(key, (context) => this.#reading.load(key, context))
  }

  /** The values of several keys, in a `Map` in their order that holds only what there is. */
  async getMany(keys: Iterable<string>): Promise<Map<string, V>> {
    this.#assertOpen()
    const { cache } = this.#settings
    const wanted = [...new Set(checkKeys(keys))]
    const own = new Map<string, JournaledWrite>()
    for (const key of wanted) {
      const write = this.#reading.own(text(key))
      if (write !== undefined) own.set(key, write)
    }
    const others = wanted.filter((key) => !own.has(key))
    const found =
      others.length === 0
        ? new Map<string, V | undefined>()
        : await cache.getOrSetMany<V | undefined>(others, (missing, { signal }) =>
            this.#reading.loadMany(missing, signal),
          )
    const values = new Map<string, V>()
    for (const key of wanted) {
      const write = own.get(key)
      const value = write === undefined ? found.get(key) : valueOf<V>(write)
      if (value !== undefined) values.set(key, value)
    }
    return values
  }

  /**
   * Accepts a value: resolves when the journal has it, and from then on every reader of this cache sees it, or a later
   * one. Where it rejects, the value was not accepted; see `Journal` for the exceptions.
   */
  async set(key: string, value: V): Promise<void> {
    this.#assertOpen()
    return this.#accepting.accept(text(key), { kind: 'put', value })
  }

  /** Accepts a delete: like `set`; `get` gives `undefined` from then on. */
  async delete(key: string): Promise<void> {
    this.#assertOpen()
    return this.#accepting.accept(text(key), { kind: 'delete' })
  }

  /**
   * Tries everything that is due now, without waiting for `flushInterval`. What fails waits for its retry, so some may
   * be left; the report says what. Rejects only if the journal fails.
   */
  async flush(): Promise<FlushReport> {
    this.#assertOpen()
    return this.#flusher.flush()
  }

  /** What was given up, the oldest first, with its error; at most `limit` (default 1,000). */
  async deadLetters(limit = 1_000): Promise<readonly DeadLetter<V>[]> {
    this.#assertOpen()
    checkCount(limit, 'limit')
    return this.#settings.journal.deadLetters(limit) as Promise<readonly DeadLetter<V>[]>
  }

  /** Tries dead letters again, all or those of the keys, as if they had never failed; tells how many there were. */
  async retryDeadLetters(keys?: Iterable<string>): Promise<number> {
    this.#assertOpen()
    const retried = await this.#settings.journal.retry(keys && checkKeys(keys))
    if (retried.length > 0) this.#flusher.wake(0)
    return retried.length
  }

  /**
   * Forgets dead letters, all or those of the keys; tells how many there were. Readers get what the origin has from
   * then on.
   */
  async dropDeadLetters(keys?: Iterable<string>): Promise<number> {
    this.#assertOpen()
    const { journal, cache } = this.#settings
    const dropped = await journal.drop(keys && checkKeys(keys))
    if (dropped.length > 0) await cache.deleteMany(dropped)
    this.#accepting.look()
    return dropped.length
  }

  /**
   * What has become of everything ever accepted: `accepted` = `applied` + `coalesced` + `pending` + `deadLettered` +
   * `dropped`, at any moment; of all processes that share the journal, and since it was made.
   */
  async stats(): Promise<JournalCounts> {
    this.#assertOpen()
    return this.#settings.journal.counts()
  }

  /** Tells the listener of every event of that name; the answer stops it. */
  on<E extends WriteBehindEventName>(event: E, listener: (event: WriteBehindEvents[E]) => void): () => void {
    if (!eventNames.includes(event)) {
      throw new TypeError(`no event '${event}'; there are ${eventNames.join(', ')}`)
    }
    if (typeof listener !== 'function') throw new TypeError('listener must be a function')
    return this.#listeners.on(event, listener)
  }

  /**
   * Takes nothing new, brings what is pending to the origin until nothing is left or `deadline` (default 10 seconds)
   * has passed, and closes the journal. The report says what is left: with a journal that outlives the process it is
   * done later, with `memoryJournal` it is lost. Safe to call twice; leaves the cache open. Rejects if the journal cannot
   * say what is left: `ERR_JOURNAL` also if it has not answered 5 seconds after the deadline.
   */
  async close(options: { readonly deadline?: Duration | undefined } = {}): Promise<FlushReport> {
    const deadline = toMs(options.deadline ?? defaults.closeDeadline, 'deadline')
    this.#closing ??= closing(this.#settings, this.#accepting, this.#flusher, deadline)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new CacheError('ERR_CLOSED', 'the cache is closed')
  }
}

function text(key: string): string {
  checkKey(key)
  return key
}
