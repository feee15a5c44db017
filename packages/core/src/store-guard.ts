import { attempt, ignore, isPromise } from './awaitable.js'
import { show } from './checks.js'
import { deadline, DeadlineQueue } from './deadlines.js'
import { CacheError } from './errors.js'
import type { Settings } from './plan.js'
import type { Awaitable, Store } from './store.js'

/**
 * The call's answer. A call that throws, rejects, is late or is not made at all is a `CacheError` with the
 * code `ERR_STORE`, `ERR_STORE_TIMEOUT` or `ERR_CIRCUIT_OPEN`, thrown or rejected; one that the store threw
 * itself with another code (a value it cannot keep) passes, and says nothing of the store's health.
 *
 * `timeout`: how long it may take, in milliseconds, where that is not the store's.
 */
export type Guard = <T>(
  during: string,
  call: (store: Store) => Awaitable<T>,
  timeout?: number,
) => Awaitable<T>

/** Who a store's guard tells. */
export interface GuardHooks {
  readonly onCircuit: (state: 'open' | 'half-open' | 'closed') => void
  /** A call succeeded after others had failed. */
  readonly onRecovered: () => void
}

/** A key that no cache uses: a root key that begins with `@` is escaped, and a namespace's has a colon. */
const probeKey = '@'

/**
 * Stands around every call to a store: a call that takes too long is given up, and after failures in a row
 * the store is left alone, until a probe succeeds. Nobody waits for the probe. (Nygard, "Release It!", 2007.)
 */
export function storeGuard({ store, clock, circuit, timeouts }: Settings, hooks: GuardHooks): Guard {
  let failed = 0
  let openUntil = 0
  let probing = false
  /** Whether it has ever answered later: what such a store answers at once it knew already, and may be ill all the same. */
  let distant = false
  const queue = new DeadlineQueue(clock, timeouts.store, true)

  const guard: Guard = (during, call, timeout = timeouts.store) => {
    if (openUntil > 0 && !probing && clock.now() >= openUntil) probe()
    if (openUntil > 0) {
      throw new CacheError(
        'ERR_CIRCUIT_OPEN',
        `the store failed ${failed} times in a row and is left alone for now`,
      )
    }
    return ask(during, call, timeout)
  }

  /** Sees whether the store is back; one that answers at once is, at once. */
  function probe(): void {
    probing = true
    hooks.onCircuit('half-open')
    void attempt(() => ask('answer', (store) => store.get(probeKey), timeouts.store), succeeded, ignore)
  }

  function ask<T>(during: string, call: (store: Store) => Awaitable<T>, timeout: number): Awaitable<T> {
    let answer: Awaitable<T>
    try {
      answer = call(store)
    } catch (cause) {
      throw failure(during, cause, timeout)
    }
    if (isPromise(answer)) return bounded(during, answer, timeout)
    if (!distant) succeeded()
    return answer
  }

  function bounded<T>(during: string, answer: PromiseLike<T>, timeout: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (cause?: unknown): void => reject(failure(during, cause, timeout))
      // Nearly every call has the store's own timeout, and these end in the order they begin.
      const end = timeout === timeouts.store ? queue.add(fail) : deadline(clock, timeout, true, fail)
      answer.then(
        (value) => {
          if (!end()) return
          distant = true
          succeeded()
          resolve(value)
        },
        (cause: unknown) => {
          if (end()) fail(cause)
        },
      )
    })
  }

  function succeeded(): void {
    if (failed === 0) return
    failed = 0
    probing = false
    if (openUntil > 0) {
      openUntil = 0
      hooks.onCircuit('closed')
    }
    hooks.onRecovered()
  }

  /** The error to give, after counting it. `cause` undefined: the call was late. */
  function failure(during: string, cause: unknown, timeout: number): CacheError {
    if (cause instanceof CacheError && cause.code !== 'ERR_STORE') {
      succeeded()
      return cause
    }
    if (++failed >= circuit.failures) {
      // Calls that were under way when it opened come to their end one by one; that is no news.
      const news = openUntil === 0 || probing
      probing = false
      openUntil = clock.now() + circuit.cooldown
      if (news) hooks.onCircuit('open')
    }
    return cause === undefined
      ? new CacheError('ERR_STORE_TIMEOUT', `the store took longer than ${timeout} ms to ${during}`)
      : new CacheError('ERR_STORE', `the store failed to ${during}: ${messageOf(cause)}`, { cause })
  }

  return guard
}

/** What a store threw, in words. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : show(cause))
