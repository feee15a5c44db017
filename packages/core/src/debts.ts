import { chain } from './awaitable.js'
import type { Clock, Timer } from './clock.js'
import { CacheError } from './errors.js'
import type { Guard } from './store-guard.js'
import type { Awaitable } from './store.js'
import type { TagTable } from './tag-table.js'

/** How many keys whose removal failed are remembered. Beyond it the oldest is told of and forgotten. */
const mostOwed = 10_000

/** How many of them are tried again together. */
const mostRetried = 500

/** How long after a failure what is owed is tried again, in milliseconds. */
const retryAfter = 1_000

/** What a debt is paid with: the engine, as far as it is needed here. */
interface Payer {
  readonly guard: Guard
  readonly clock: Clock
  readonly tags: TagTable
  readonly closed: boolean
  report(error: unknown, during: string, key: string): void
  behind(work: Awaitable<void>): void
}

/**
 * What a failing store was to remove and did not. In this process it is not seen; the store does it before the key is
 * read again, and behind, a second after a failure, so that other processes no longer see it either.
 */
export class Debts {
  readonly #payer: Payer
  /** With the number of each: what began before it does not pay it. */
  readonly #keys = new Map<string, number>()
  /** The number of the latest one that is for all keys, or 0. */
  #all = 0
  #count = 0
  #timer: Timer

  constructor(payer: Payer) {
    this.#payer = payer
  }

  /** Whether any removal is owed. */
  get owes(): boolean {
    return this.#all > 0 || this.#keys.size > 0
  }

  /** How many there have been. */
  get count(): number {
    return this.#count
  }

  /** The store failed to remove these keys. */
  owe(storeKeys: readonly string[]): void {
    for (const storeKey of storeKeys) {
      if (this.#keys.size >= mostOwed) {
        const oldest = this.#keys.keys().next().value as string
        this.#keys.delete(oldest)
        const error = new CacheError('ERR_STORE', 'too many removals failed; this one is given up')
        this.#payer.report(error, 'delete', oldest)
      }
      this.#keys.set(storeKey, ++this.#count)
    }
    this.retryLater()
  }

  /** The store failed to clear itself. */
  oweAll(): void {
    this.#all = ++this.#count
    this.retryLater()
  }

  /** These keys were changed by what began when there had been so many. */
  forget(storeKeys: Iterable<string>, count: number): void {
    for (const storeKey of storeKeys) if (this.#keys.get(storeKey)! <= count) this.#keys.delete(storeKey)
  }

  /** Removes what a failing store was to remove, before the key is read. Fails as the store does. */
  settle(storeKey: string): Awaitable<void> {
    if (this.#all > 0) return this.#settleAll()
    if (!this.#keys.has(storeKey)) return
    const count = this.#count
    return chain(
      this.#payer.guard('delete', (store) => store.delete(storeKey)),
      () => this.forget([storeKey], count),
    )
  }

  /** Writes once a clearing that is owed is done, which would take away what is written before. */
  cleared<T>(write: () => Awaitable<T>): Awaitable<T> {
    return this.#all > 0 ? chain(this.#settleAll(), write) : write()
  }

  #settleAll(): Awaitable<void> {
    const count = this.#count
    return chain(
      this.#payer.guard('clear', (store) => store.clear()),
      () => {
        if (this.#all <= count) this.#all = 0
        this.forget(this.#keys.keys(), count)
      },
    )
  }

  /** Does what is owed when the store has had time to come back, also if nobody asks. */
  retryLater(): void {
    if (this.#payer.closed) return
    this.#timer ??= this.#payer.clock.setTimer(() => this.retry(), retryAfter, false)
  }

  /** Does what is owed, so that other processes, who know nothing of it, no longer see what was to be gone. */
  retry(): void {
    this.#payer.clock.clearTimer(this.#timer)
    this.#timer = undefined
    if (this.#payer.closed || !(this.owes || this.#payer.tags.owes)) return
    this.#payer.behind(this.#settleSome())
  }

  async #settleSome(): Promise<void> {
    const keys = [...this.#keys.keys()].slice(0, mostRetried)
    try {
      await this.#payer.tags.settle()
      if (this.#all > 0) await this.#settleAll()
      await Promise.all(keys.map((storeKey) => this.settle(storeKey)))
    } catch {
      // Told of when it was owed, and tried again.
    }
    if (this.owes || this.#payer.tags.owes) this.retryLater()
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#payer.clock.clearTimer(this.#timer)
  }
}
