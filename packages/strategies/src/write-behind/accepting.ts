import type { Awaitable, JournalOperation } from '@flow-cache/core'
import { inOrder } from '../in-order.js'
import type { WriteBehindEvents } from './events.js'
import type { Flusher } from './flusher.js'
import type { Listeners } from './listeners.js'
import type { Settings } from './options.js'
import { full, Room } from './room.js'
import { sleep } from './sleep.js'

/** Takes writes: into the journal, in order, when there is room, and into what readers see. */
export class Accepting<V> {
  readonly #settings: Settings<V>
  readonly #listeners: Listeners<WriteBehindEvents>
  readonly #flusher: Flusher<V>
  readonly #room: Room<V>
  #underWay = 0
  readonly #whenSettled: (() => void)[] = []
  /** Writes of one key enter a shared journal one after another: one that finds no room is not to come after the next. */
  readonly #entering = inOrder()
  /** After so many writes it is looked whether half of `maxPending` is pending. */
  readonly #stride: number
  #sinceLook = 0

  constructor(settings: Settings<V>, listeners: Listeners<WriteBehindEvents>, flusher: Flusher<V>) {
    this.#settings = settings
    this.#listeners = listeners
    this.#flusher = flusher
    this.#room = new Room(settings)
    this.#stride = Math.max(1, settings.maxPending >> 4)
  }

  /** Resolves when the journal has it and readers see it; through a full journal, when the origin has it. */
  async accept(key: string, operation: JournalOperation): Promise<void> {
    this.#underWay++
    try {
      await this.#accept(key, operation)
    } finally {
      if (--this.#underWay === 0) for (const resolve of this.#whenSettled.splice(0)) resolve()
    }
  }

  /** Resolves when every write that was begun has ended. */
  async settled(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenSettled.push(resolve))
  }

  /** A write that waits for room may have it. */
  look(): void {
    void this.#room.look()
  }

  /** Nobody waits for room any longer. */
  close(error: unknown): void {
    this.#room.close(error)
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
    else if (++this.#sinceLook >= this.#stride) this.#flushEarly()
    if (isThrough) await this.#untilApplied(key, sequence!)
  }

  #put(key: string, operation: JournalOperation): Awaitable<number | undefined> {
    const { journal, maxPending } = this.#settings
    if (journal.local !== undefined) return journal.put(key, operation, maxPending)
    return this.#entering.run([key], async () =>
      this.#room.isWaiting ? undefined : journal.put(key, operation, maxPending),
    )
  }

  /** Flushes early when half of the room is taken. */
  #flushEarly(): void {
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

  /** Waits until the origin has an operation or a later one of its key. */
  async #untilApplied(key: string, sequence: number): Promise<void> {
    const { clock, journal, blockTimeout, maxPending } = this.#settings
    const end = clock.now() + blockTimeout
    for (;;) {
      await this.#flusher.flush()
      const write = (await journal.read([key])).get(key)
      if (write === undefined || write.sequence > sequence || write.dead) return
      if (clock.now() >= end) throw full(key, maxPending)
      await sleep(clock, Math.max(1, Math.min(this.#flusher.untilRetry, end - clock.now())))
    }
  }
}
