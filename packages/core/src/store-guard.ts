import { attempt, ignore, isPromise } from './awaitable.js'
import type { Clock } from './clock.js'
import { CacheError } from './errors.js'
import type { Awaitable } from './store.js'

/** Who a {@link StoreGuard} asks and tells. */
export interface GuardHooks {
  /** A call that does no harm, to see whether the store is back. */
  readonly probe: () => Awaitable<unknown>
  readonly onCircuit: (state: 'open' | 'half-open' | 'closed') => void
  /** A call succeeded after others had failed. */
  readonly onRecovered: () => void
}

/**
 * Stands around every call to a store: a call that takes too long is given up, and after failures in a row
 * the store is left alone, until a probe succeeds. Nobody waits for the probe. (Nygard, "Release It!", 2007.)
 */
export class StoreGuard {
  readonly #clock: Clock
  readonly #timeout: number
  readonly #circuit: Readonly<Record<'failures' | 'cooldown', number>>
  readonly #hooks: GuardHooks
  #failed = 0
  #openUntil = 0
  #probing = false

  /** `timeout`: how long a call may take, in milliseconds. */
  constructor(
    clock: Clock,
    timeout: number,
    circuit: Readonly<Record<'failures' | 'cooldown', number>>,
    hooks: GuardHooks,
  ) {
    this.#clock = clock
    this.#timeout = timeout
    this.#circuit = circuit
    this.#hooks = hooks
  }

  /**
   * The call's answer. A call that throws, rejects, is late or is not made at all is a `CacheError` with the
   * code `ERR_STORE`, `ERR_STORE_TIMEOUT` or `ERR_CIRCUIT_OPEN`, thrown or rejected; one that the store threw
   * itself with another code (a value it cannot keep) passes, and says nothing of the store's health.
   *
   * `timeout`: `Infinity` for a call of many steps, whose length says nothing.
   */
  call<T>(during: string, call: () => Awaitable<T>, timeout: number = this.#timeout): Awaitable<T> {
    if (this.#openUntil > 0 && !this.#probing && this.#clock.now() >= this.#openUntil) this.#probe()
    if (this.#openUntil > 0) {
      throw new CacheError(
        'ERR_CIRCUIT_OPEN',
        `the store failed ${this.#failed} times in a row and is left alone for now`,
      )
    }
    return this.#call(during, call, timeout)
  }

  /** Sees whether the store is back; one that answers at once is, at once. */
  #probe(): void {
    this.#probing = true
    this.#hooks.onCircuit('half-open')
    void attempt(() => this.#call('answer', this.#hooks.probe, this.#timeout), ignore, ignore)
  }

  #call<T>(during: string, call: () => Awaitable<T>, timeout: number): Awaitable<T> {
    let answer: Awaitable<T>
    try {
      answer = call()
    } catch (cause) {
      throw this.#failure(during, cause)
    }
    if (!isPromise(answer)) {
      this.#succeeded()
      return answer
    }
    return this.#bounded(during, answer, timeout)
  }

  #bounded<T>(during: string, answer: PromiseLike<T>, timeout: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let late = false
      const timer =
        timeout === Infinity
          ? undefined
          : this.#clock.setTimer(
              () => {
                late = true
                reject(this.#failure(during, undefined))
              },
              timeout,
              true,
            )
      answer.then(
        (value) => {
          if (late) return
          this.#clock.clearTimer(timer)
          this.#succeeded()
          resolve(value)
        },
        (cause: unknown) => {
          if (late) return
          this.#clock.clearTimer(timer)
          reject(this.#failure(during, cause))
        },
      )
    })
  }

  #succeeded(): void {
    if (this.#failed === 0) return
    this.#failed = 0
    this.#probing = false
    if (this.#openUntil > 0) {
      this.#openUntil = 0
      this.#hooks.onCircuit('closed')
    }
    this.#hooks.onRecovered()
  }

  /** The error to give, after counting it. `cause` undefined: the call was late. */
  #failure(during: string, cause: unknown): CacheError {
    if (cause instanceof CacheError && cause.code !== 'ERR_STORE') {
      this.#succeeded()
      return cause
    }
    this.#failed++
    if (this.#failed >= this.#circuit.failures) {
      // Calls that were under way when it opened come to their end one by one; that is no news.
      const news = this.#openUntil === 0 || this.#probing
      this.#probing = false
      this.#openUntil = this.#clock.now() + this.#circuit.cooldown
      if (news) this.#hooks.onCircuit('open')
    }
    return cause === undefined
      ? new CacheError('ERR_STORE_TIMEOUT', `the store took longer than ${this.#timeout} ms to ${during}`)
      : new CacheError('ERR_STORE', `the store failed to ${during}`, { cause })
  }
}
