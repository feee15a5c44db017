import { isPromise } from './awaitable.js'
import type { Timer } from './clock.js'
import { CacheError } from './errors.js'
import type { Settings } from './plan.js'
import type { Awaitable, Store } from './store.js'

/**
 * Stands around every call to a store: a call that takes too long is given up, and after failures in a row
 * the store is left alone, until one call that is let through succeeds. (Nygard, "Release It!", 2007.)
 */
export class StoreGuard {
  readonly #settings: Settings
  readonly #onCircuit: (state: 'open' | 'half-open' | 'closed') => void
  #failed = 0
  #openUntil = 0
  #probing = false

  constructor(settings: Settings, onCircuit: (state: 'open' | 'half-open' | 'closed') => void) {
    this.#settings = settings
    this.#onCircuit = onCircuit
  }

  /**
   * The call's answer. A call that throws, rejects, is late or is not made at all is a `CacheError` with the
   * code `ERR_STORE`, `ERR_STORE_TIMEOUT` or `ERR_CIRCUIT_OPEN`, thrown or rejected; one that the store threw
   * itself with another code (a value it cannot keep) passes, and says nothing of the store's health.
   */
  call<T>(during: string, call: (store: Store) => Awaitable<T>): Awaitable<T> {
    const { store, clock } = this.#settings
    if (this.#openUntil > 0) {
      if (this.#probing || clock.now() < this.#openUntil) {
        throw new CacheError(
          'ERR_CIRCUIT_OPEN',
          `the store failed ${this.#failed} times in a row and is left alone for now`,
        )
      }
      this.#probing = true
      this.#onCircuit('half-open')
    }
    let answer: Awaitable<T>
    try {
      answer = call(store)
    } catch (cause) {
      throw this.#failure(during, cause)
    }
    if (!isPromise(answer)) {
      this.#succeeded()
      return answer
    }
    return this.#bounded(during, answer)
  }

  async #bounded<T>(during: string, answer: PromiseLike<T>): Promise<T> {
    const { clock, timeouts } = this.#settings
    let timer: Timer
    const late = new Promise<never>((_, reject) => {
      if (timeouts.store < Infinity) timer = clock.setTimer(reject, timeouts.store, true)
    })
    try {
      const value = await Promise.race([answer, late])
      this.#succeeded()
      return value
    } catch (cause) {
      throw this.#failure(during, cause)
    } finally {
      clock.clearTimer(timer)
    }
  }

  #succeeded(): void {
    if (this.#failed === 0) return
    this.#failed = 0
    this.#probing = false
    if (this.#openUntil > 0) {
      this.#openUntil = 0
      this.#onCircuit('closed')
    }
  }

  /** The error to give, after counting it. `cause` undefined: the call was late. */
  #failure(during: string, cause: unknown): CacheError {
    if (cause instanceof CacheError && cause.code !== 'ERR_STORE') {
      this.#succeeded()
      return cause
    }
    const { clock, circuit, timeouts } = this.#settings
    if (++this.#failed >= circuit.failures) {
      // Calls that were under way when it opened come to their end one by one; that is no news.
      const news = this.#openUntil === 0 || this.#probing
      this.#probing = false
      this.#openUntil = clock.now() + circuit.cooldown
      if (news) this.#onCircuit('open')
    }
    return cause === undefined
      ? new CacheError('ERR_STORE_TIMEOUT', `the store took longer than ${timeouts.store} ms to ${during}`)
      : new CacheError('ERR_STORE', `the store failed to ${during}`, { cause })
  }
}
