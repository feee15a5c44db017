import type { Awaitable, Store } from '../store.js'

/** What becomes of a call: it works, rejects, throws at once, or is never answered. */
export type Fault = 'none' | 'reject' | 'throw' | 'hang' | 'lag'

/** A store whose calls go wrong as it is told. */
export interface FaultyStore extends Store {
  /** How calls go from now on. `lag` waits for `until` first. */
  fail(fault: Fault, until?: () => Promise<void>): void
  /** How many calls were made since the last time this was asked. */
  calls(): number
}

/**
 * The store, with its required members and its groups `batch`, `tags` and `leases` going wrong as told. A call that
 * rejects, throws or hangs has no effect, also not later. It has no `local` tier, so every call can be seen.
 */
export function faultyStore(store: Store): FaultyStore {
  let fault: Fault = 'none'
  let lag: () => Promise<void> = () => Promise.resolve()
  let calls = 0

  const through = <T>(call: () => Awaitable<T>): Awaitable<T> => {
    calls++
    if (fault === 'throw') throw new Error('the store throws')
    if (fault === 'reject') return Promise.reject(new Error('the store rejects'))
    if (fault === 'hang') return new Promise<T>(() => {})
    return fault === 'lag' ? lag().then(call) : call()
  }
  const group = <G extends object>(methods: G | undefined): G | undefined => {
    if (methods === undefined) return undefined
    const wrapped: Record<string, unknown> = {}
    for (const [name, method] of Object.entries(methods) as [
      string,
      (...args: unknown[]) => Awaitable<unknown>,
    ][]) {
      wrapped[name] = (...args: unknown[]) => through(() => method(...args))
    }
    return wrapped as G
  }
  const groups = {
    batch: group(store.batch),
    tags: group(store.tags),
    leases: group(store.leases),
    log: store.log,
    keys: store.keys,
  }

  return {
    ...(store.tiers && { tiers: store.tiers }),
    get: (key) => through(() => store.get(key)),
    set: (key, entry) => through(() => store.set(key, entry)),
    delete: (key) => through(() => store.delete(key)),
    clear: (prefix) => through(() => store.clear(prefix)),
    close: () => store.close(),
    ...(Object.fromEntries(
      Object.entries(groups).filter(([, methods]) => methods !== undefined),
    ) as Partial<Store>),
    fail(next, until = lag) {
      fault = next
      lag = until
    },
    calls() {
      const made = calls
      calls = 0
      return made
    },
  }
}
