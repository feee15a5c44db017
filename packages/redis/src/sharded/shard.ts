import {
  type Awaitable,
  CacheError,
  type CacheErrorCode,
  type Clock,
  type Store,
  timeoutFor,
} from '@flow-cache/core'

/** How many failures in a row open the circuit. */
const failures = 3

/** How long it stays open before the shard is tried again, in milliseconds. */
const cooldown = 1_000

/** What says that a store is not well; any other code is an answer of one that is. */
const ill: ReadonlySet<CacheErrorCode> = new Set(['ERR_STORE', 'ERR_STORE_TIMEOUT', 'ERR_CIRCUIT_OPEN'])

/** A key that no cache uses. */
const probeKey = '@'

/**
 * One of several stores, with a timeout and a circuit of its own: the cache has one circuit for all of them together,
 * which one dead shard would open. So its failures are an `ERR_SHARD`, which the cache does not count, and once the
 * circuit is open they come at once, also while a `get` behind tries whether the shard is back.
 */
export class Shard {
  readonly name: string
  readonly store: Store
  readonly #clock: Clock
  #timeout: number
  /** Called at its next answer, once. */
  onBack: (() => void) | undefined
  #failed = 0
  #openUntil = 0

  /** `timeout`: how long a call may take, in milliseconds. */
  constructor(name: string, store: Store, clock: Clock, timeout: number) {
    this.name = name
    this.store = store
    this.#clock = clock
    this.#timeout = timeout
    store.patience?.(timeout)
  }

  /** From now on a call may take so many milliseconds. */
  patience(ms: number): void {
    this.#timeout = ms
    this.store.patience?.(ms)
  }

  /**
   * The call's answer; the call is made at once. One that throws, rejects, is late or is not made is a `CacheError`
   * with the code `ERR_SHARD`; one with a code that says nothing of the shard's health passes.
   *
   * `timeout`: how long it may take, in milliseconds, where that is not what one for one key may.
   */
  async call<T>(
    during: string,
    call: (store: Store) => Awaitable<T>,
    timeout: number = this.#timeout,
  ): Promise<T> {
    if (this.#openUntil === 0) return this.#call(during, call, timeout)
    const now = this.#clock.now()
    if (now >= this.#openUntil) {
      // From here on, so that one probe is under way at a time.
      this.#openUntil = now + Math.max(cooldown, this.#timeout)
      this.#call('answer', (store) => store.get(probeKey), this.#timeout).catch(() => {})
    }
    throw this.#error(`failed ${this.#failed} times in a row and is left alone for now`)
  }

  /** The same for a call for so many keys. */
  callMany<T>(during: string, keys: number, call: (store: Store) => Awaitable<T>): Promise<T> {
    return this.call(during, call, timeoutFor(keys, this.#timeout))
  }

  async #call<T>(during: string, call: (store: Store) => Awaitable<T>, timeout: number): Promise<T> {
    let timer: unknown
    try {
      const asked = call(this.store)
      const late = new Promise<never>((_, reject) => {
        const giveUp = (): void =>
          reject(new CacheError('ERR_STORE_TIMEOUT', `no answer within ${timeout} ms`))
        timer = this.#clock.setTimer(giveUp, timeout, true)
      })
      const answer = await Promise.race([asked, late])
      this.#healthy()
      return answer
    } catch (cause) {
      if (cause instanceof CacheError && !ill.has(cause.code)) {
        this.#healthy()
        throw cause
      }
      if (++this.#failed >= failures) this.#openUntil = this.#clock.now() + cooldown
      throw this.#error(`failed to ${during}`, { cause })
    } finally {
      this.#clock.clearTimer(timer)
    }
  }

  #healthy(): void {
    this.#failed = 0
    this.#openUntil = 0
    const { onBack } = this
    this.onBack = undefined
    onBack?.()
  }

  #error(what: string, options?: { cause: unknown }): CacheError {
    return new CacheError('ERR_SHARD', `the shard '${this.name}' ${what}`, options)
  }
}

/** Whether a shard is at fault, and no other. */
export const isShardError = (error: unknown): boolean =>
  error instanceof CacheError && error.code === 'ERR_SHARD'
