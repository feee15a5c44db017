import { CacheError, type Journal, type JournalOperation, type Timer } from '@flow-cache/core'
import type { Settings } from './options.js'

interface Waiter {
  readonly key: string
  readonly operation: JournalOperation
  readonly resolve: (sequence: number) => void
  readonly reject: (error: unknown) => void
  timer: Timer
  /** Whether its time has ended while the journal is being asked for it. */
  late: boolean
}

/** How often somebody who waits looks whether other processes have made room, in milliseconds. */
const look = 100

/** Writes that found no room and wait for it, in the order they came: nobody overtakes. */
export class Room<V> {
  readonly #journal: Journal
  readonly #settings: Settings<V>
  readonly #waiting: Waiter[] = []
  #looking = false
  #asking: Waiter | undefined
  #timer: Timer

  constructor(settings: Settings<V>) {
    this.#journal = settings.journal
    this.#settings = settings
  }

  /** Whether somebody waits already, whom a new write must not overtake. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Resolves to the operation's sequence once there was room for it; rejects with `ERR_FULL` after `blockTimeout`. */
  wait(key: string, operation: JournalOperation): Promise<number> {
    const { clock, blockTimeout, maxPending } = this.#settings
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { key, operation, resolve, reject, timer: undefined, late: false }
      if (blockTimeout !== Infinity) {
        waiter.timer = clock.setTimer(
          () => {
            // The journal may be accepting it: what it answers counts.
            if (waiter === this.#asking) waiter.late = true
            else this.#end(waiter, () => reject(full(key, maxPending)))
          },
          blockTimeout,
          true,
        )
      }
      this.#waiting.push(waiter)
      this.#lookLater()
    })
  }

  /** Something may have made room. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
        const { key, operation } = first
        const { maxPending } = this.#settings
        let sequence: number | undefined
        this.#asking = first
        try {
          sequence = await this.#journal.put(key, operation, maxPending)
        } catch (error) {
          this.#end(first, () => first.reject(error))
          continue
        } finally {
          this.#asking = undefined
        }
        const accepted = sequence
        if (accepted !== undefined) this.#end(first, () => first.resolve(accepted))
        else if (first.late) this.#end(first, () => first.reject(full(key, maxPending)))
        else break
      }
    } finally {
      this.#looking = false
      this.#lookLater()
    }
  }

  /** Nobody waits any longer. */
  close(error: unknown): void {
    this.#settings.clock.clearTimer(this.#timer)
    for (const waiter of this.#waiting.toReversed()) this.#end(waiter, () => waiter.reject(error))
  }

  #end(waiter: Waiter, tell: () => void): void {
    const at = this.#waiting.indexOf(waiter)
    if (at !== -1) this.#waiting.splice(at, 1)
    this.#settings.clock.clearTimer(waiter.timer)
    tell()
  }

  #lookLater(): void {
    const { clock } = this.#settings
    clock.clearTimer(this.#timer)
    if (this.#waiting.length === 0) return
    this.#timer = clock.setTimer(() => void this.look(), look, false)
  }
}

/** The error for a write that found no room in time. */
export const full = (key: string, maxPending: number): CacheError =>
  new CacheError(
    'ERR_FULL',
    `${maxPending} writes wait for the origin already, and there was no room in time`,
    { key },
  )
