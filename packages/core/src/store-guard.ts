import { isPromise } from './awaitable.js'
import type { Timer } from './clock.js'
import { CacheError } from './errors.js'
import type { Settings } from './plan.js'
import type { Awaitable, Store } from './store.js'

/**
 * The call's answer. A call that throws, rejects, is late or is not made at all is a `CacheError` with the
 * code `ERR_STORE`, `ERR_STORE_TIMEOUT` or `ERR_CIRCUIT_OPEN`, thrown or rejected; one that the store threw
 * itself with another code (a value it cannot keep) passes, and says nothing of the store's health.
 */
export type Guard = <T>(during: string, call: (store: Store) => Awaitable<T>) => Awaitable<T>

/**
 * Stands around every call to a store: a call that takes too long is given up, and after failures in a row
 * the store is left alone, until one call that is let through succeeds. (Nygard, "Release It!", 2007.)
 */
export function storeGuard(
  { store, clock, circuit, timeouts }: Settings,
  onCircuit: (state: 'open' | 'half-open' | 'closed') => void,
): Guard {
  let failed = 0
  let openUntil = 0
  let probing = false

  async function bounded<T>(during: string, answer: PromiseLike<T>): Promise<T> {
    let timer: Timer
    const late = new Promise<never>((_, reject) => {
      if (timeouts.store < Infinity) timer = clock.setTimer(reject, timeouts.store, true)
    })
    try {
      const value = await Promise.race([answer, late])
      succeeded()
      return value
    } catch (cause) {
      throw failure(during, cause)
    } finally {
      clock.clearTimer(timer)
    }
  }

  function succeeded(): void {
    failed = 0
    probing = false
    if (openUntil === 0) return
    openUntil = 0
    onCircuit('closed')
  }

  /** The error to give, after counting it. `cause` undefined: the call was late. */
  function failure(during: string, cause: unknown): CacheError {
    if (cause instanceof CacheError && cause.code !== 'ERR_STORE') {
      succeeded()
      return cause
    }
    if (++failed >= circuit.failures) {
      // Calls that were under way when it opened come to their end one by one; that is no news.
      const news = openUntil === 0 || probing
      probing = false
      openUntil = clock.now() + circuit.cooldown
      if (news) onCircuit('open')
    }
    return cause === undefined
      ? new CacheError('ERR_STORE_TIMEOUT', `the store took longer than ${timeouts.store} ms to ${during}`)
      : new CacheError('ERR_STORE', `the store failed to ${during}`, { cause })
  }

  return (during, call) => {
    if (openUntil > 0) {
      if (probing || clock.now() < openUntil) {
        throw new CacheError(
          'ERR_CIRCUIT_OPEN',
          `the store failed ${failed} times in a row and is left alone for now`,
        )
      }
      probing = true
      onCircuit('half-open')
    }
    let answer
    try {
      answer = call(store)
    } catch (cause) {
      throw failure(during, cause)
    }
    if (isPromise(answer)) return bounded(during, answer)
    succeeded()
    return answer
  }
}
