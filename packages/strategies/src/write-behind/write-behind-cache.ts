import {
  type Awaitable,
  CacheError,
  type DeadLetter,
  doNotCache,
  type Duration,
  type JournalCounts,
  type JournaledWrite,
  type JournalOperation,
  type LoadContext,
  type DoNotCache,
  toMs,
} from '@flow-cache/core'
import type { FlushReport, WriteBehindEventName, WriteBehindEvents } from './events.js'
import { Flusher } from './flusher.js'
import { Listeners } from './listeners.js'
import { defaults, type Settings, settingsOf, type WriteBehindOptions } from './options.js'
import { full, Room } from './room.js'

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
  readonly #room: Room<V>
  readonly #accepting = new Set<Promise<unknown>>()
  /** The last write of a key that is on its way into a shared journal. */
  readonly #entering = new Map<string, Promise<undefined>>()
  /** After so many writes it is looked whether half of `maxPending` is pending. */
  readonly #stride: number
  #sinceLook = 0
  #closing: Promise<FlushReport> | undefined

  /** Wrong options are a `TypeError` or a `RangeError` that names them. */
  constructor(options: WriteBehindOptions<V>) {
    this.#settings = settingsOf(options)
    this.#room = new Room(this.#settings)
    this.#flusher = new Flusher(this.#settings, this.#listeners, () => void this.#room.look())
    this.#stride = Math.max(1, this.#settings.maxPending >> 4)
  }

  /** The value that was written last, or the cache's, or the origin's; `undefined` if there is none. */
  async get(key: string): Promise<V | undefined> {
    this.#assertOpen()
    const { cache, journal } = this.#settings
    const own = journal.local?.read(text(key))
    if (own !== undefined) return valueOf<V>(own)
    return cache.getOrSet<V | undefined>(key, (context) => this.#load(key, context))
  }

  /** The values of several keys, in a `Map` in their order that holds only what there is. */
  async getMany(keys: Iterable<string>): Promise<Map<string, V>> {
    this.#assertOpen()
    const { cache, journal } = this.#settings
    const wanted = [...new Set(keys)]
    const own = new Map<string, JournaledWrite>()
    for (const key of wanted) {
      const write = journal.local?.read(text(key))
      if (write !== undefined) own.set(key, write)
    }
    const others = wanted.filter((key) => !own.has(key))
    const found =
      others.length === 0
        ? new Map<string, V | undefined>()
        : await cache.getOrSetMany<V | undefined>(others, (missing, { signal }) =>
            this.#loadMany(missing, signal),
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
    return this.#write(key, { kind: 'put', value })
  }

  /** Accepts a delete: like `set`; `get` gives `undefined` from then on. */
  async delete(key: string): Promise<void> {
    return this.#write(key, { kind: 'delete' })
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
    return this.#settings.journal.deadLetters(limit) as Promise<readonly DeadLetter<V>[]>
  }

  /** Tries dead letters again, all or those of the keys, as if they had never failed; tells how many there were. */
  async retryDeadLetters(keys?: Iterable<string>): Promise<number> {
    this.#assertOpen()
    const retried = await this.#settings.journal.retry(keys && [...keys])
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
    const dropped = await journal.drop(keys && [...keys])
    if (dropped.length > 0) await cache.deleteMany(dropped)
    void this.#room.look()
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
    if (typeof listener !== 'function') throw new TypeError('listener must be a function')
    return this.#listeners.on(event, listener)
  }

  /**
   * Takes nothing new, brings what is pending to the origin until nothing is left or `deadline` (default 10 seconds)
   * has passed, and closes the journal. The report says what is left: with a journal that outlives the process it is
   * done later, with `memoryJournal` it is lost. Safe to call twice; leaves the cache open.
   */
  async close(options: { readonly deadline?: Duration | undefined } = {}): Promise<FlushReport> {
    const deadline = toMs(options.deadline ?? defaults.closeDeadline, 'deadline')
    this.#closing ??= this.#end(deadline)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #write(key: string, operation: JournalOperation): Promise<void> {
    this.#assertOpen()
    text(key)
    const accepted = this.#accept(key, operation)
    this.#accepting.add(accepted)
    try {
      await accepted
    } finally {
      this.#accepting.delete(accepted)
    }
  }

  async #accept(key: string, operation: JournalOperation): Promise<void> {
    const { journal, maxPending, whenFull, flushInterval } = this.#settings
    let sequence: number | undefined
    let isThrough = false
    try {
      // A journal in this process says at once that it is full, so that nobody overtakes who is about to wait.
      const answer = this.#room.isWaiting ? undefined : this.#put(key, operation)
      if (answer !== undefined) sequence = await answer
      if (sequence === undefined) {
        this.#listeners.emit('full', { key, policy: whenFull })
        this.#flusher.wake(0)
        if (whenFull === 'reject') throw full(key, maxPending)
        isThrough = whenFull === 'write-through'
        sequence = isThrough
          ? await journal.put(key, operation, Infinity)
          : await this.#room.wait(key, operation)
      }
    } catch (error) {
      // It may have been accepted where the connection was lost: nobody shall read an older value for long.
      if (journal.local === undefined) await this.#forget(key)
      throw error
    }
    await this.#show(key, operation)
    if (this.#listeners.has('accept')) {
      this.#listeners.emit('accept', { key, sequence: sequence!, kind: operation.kind })
    }
    if (flushInterval === 0) this.#flusher.wake(0)
    else if (++this.#sinceLook >= this.#stride) this.#look()
    if (isThrough) await this.#untilApplied(key, sequence!)
  }

  /** Writes of one key enter a shared journal one after another: one that finds no room is not to come after the next. */
  #put(key: string, operation: JournalOperation): Awaitable<number | undefined> {
    const { journal, maxPending } = this.#settings
    if (journal.local !== undefined) return journal.put(key, operation, maxPending)
    const put = (): Awaitable<number | undefined> =>
      this.#room.isWaiting ? undefined : journal.put(key, operation, maxPending)
    const before = this.#entering.get(key)
    const entered = (before === undefined ? Promise.resolve() : before).then(put)
    const ended = entered.then(
      () => undefined,
      () => undefined,
    )
    this.#entering.set(key, ended)
    void ended.then(() => {
      if (this.#entering.get(key) === ended) this.#entering.delete(key)
    })
    return entered
  }

  /** Flushes early when half of the room is taken. */
  #look(): void {
    this.#sinceLook = 0
    const { journal, maxPending } = this.#settings
    void (async () => {
      const { pending } = await journal.counts()
      if (pending >= maxPending / 2) this.#flusher.wake(0)
    })().catch(() => {})
  }

  /**
   * Lets readers see what was accepted. With a shared journal the cache's entry goes, and the next read takes what the
   * journal has: writes of several processes could reach the cache in another order than the journal.
   */
  async #show(key: string, operation: JournalOperation): Promise<void> {
    const { cache, journal } = this.#settings
    if (operation.kind === 'delete' || journal.local === undefined) return this.#forget(key)
    try {
      await cache.set(key, operation.value)
    } catch (error) {
      this.#listeners.emit('error', { error, during: 'cache set', key })
      await this.#forget(key)
    }
  }

  async #forget(key: string): Promise<void> {
    try {
      await this.#settings.cache.delete(key)
    } catch (error) {
      this.#listeners.emit('error', { error, during: 'cache delete', key })
    }
  }

  async #load(key: string, { signal }: LoadContext): Promise<V | undefined | DoNotCache<V | undefined>> {
    const { origin } = this.#settings
    const journaled = await this.#journaled([key])
    const write = journaled?.get(key)
    if (write !== undefined) return write.kind === 'put' ? (write.value as V) : doNotCache(undefined)
    const value = await origin.read(key, { signal })
    // What could not be compared with what is pending may be old.
    return journaled === undefined ? doNotCache(value) : value
  }

  async #loadMany(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, V | undefined | DoNotCache<V | undefined>>> {
    const { origin } = this.#settings
    const journaled = await this.#journaled(keys)
    const values = new Map<string, V | undefined | DoNotCache<V | undefined>>()
    const missing = keys.filter((key) => {
      const write = journaled?.get(key)
      if (write?.kind === 'put') values.set(key, write.value as V)
      return write === undefined
    })
    const keep = (key: string, value: V | undefined): void => {
      values.set(key, journaled === undefined ? doNotCache(value) : value)
    }
    if (missing.length === 0) return values
    if (origin.readMany !== undefined) {
      for (const [key, value] of await origin.readMany(missing, { signal })) keep(key, value)
    } else {
      await Promise.all(
        missing.map(async (key) => {
          const value = await origin.read(key, { signal })
          if (value !== undefined) keep(key, value)
        }),
      )
    }
    return values
  }

  /** What the journal has of the keys; `undefined` if it cannot be asked, which no reader has to suffer for. */
  async #journaled(keys: readonly string[]): Promise<ReadonlyMap<string, JournaledWrite> | undefined> {
    try {
      return await this.#settings.journal.read(keys)
    } catch (error) {
      this.#listeners.emit('error', { error, during: 'journal read' })
      return undefined
    }
  }

  /** Waits until the origin has an operation or a later one of its key. */
  async #untilApplied(key: string, sequence: number): Promise<void> {
    const { clock, journal, blockTimeout, maxPending } = this.#settings
    const end = clock.now() + blockTimeout
    for (;;) {
      await this.#flusher.flush()
      const write = (await journal.read([key])).get(key)
      if (write === undefined || write.sequence > sequence || write.dead) return
      if (clock.now() >= end) throw full(key, maxPending)
      await this.#sleep(Math.max(1, Math.min(this.#flusher.untilRetry, end - clock.now())))
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#settings.clock.setTimer(resolve, ms, true))
  }

  async #end(deadline: number): Promise<FlushReport> {
    const { journal, clock } = this.#settings
    const before = this.#flusher.applied
    const closed = new CacheError('ERR_CLOSED', 'the cache is closed')
    const end = clock.now() + deadline
    this.#room.close(closed)
    let isOver = deadline === 0
    const drained = isOver ? Promise.resolve() : this.#drain(() => isOver)
    if (deadline !== Infinity) {
      let timer: unknown
      const over = new Promise<void>((resolve) => {
        timer = clock.setTimer(resolve, Math.max(0, end - clock.now()), true)
      })
      await Promise.race([drained, over])
      clock.clearTimer(timer)
      isOver = true
    } else await drained
    await this.#flusher.stop(closed)
    let report: FlushReport = { flushed: this.#flusher.applied - before, pending: 0, dead: 0 }
    try {
      const { pending, deadLettered } = await journal.counts()
      report = { ...report, pending, dead: deadLettered }
    } finally {
      await journal.close()
    }
    return report
  }

  /** Passes until nothing is pending. A journal that fails is asked again: it may be back before the deadline. */
  async #drain(isOver: () => boolean): Promise<void> {
    await Promise.allSettled(this.#accepting)
    while (!isOver()) {
      const report = await this.#flusher.flush().catch(() => undefined)
      if (report?.pending === 0 || isOver()) return
      await this.#sleep(Math.max(1, Math.min(this.#flusher.untilRetry, pause)))
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new CacheError('ERR_CLOSED', 'the cache is closed')
  }
}

/** How often `close` looks whether others have finished, in milliseconds. */
const pause = 100

const valueOf = <V>(write: JournaledWrite): V | undefined =>
  write.kind === 'put' ? (write.value as V) : undefined

function text(key: string): string {
  if (typeof key === 'string' && key !== '') return key
  throw new TypeError(`key must be a non-empty string, got ${typeof key === 'string' ? "''" : typeof key}`)
}
