import type { LoadOptions } from './options.js'
import type { Awaitable } from './store.js'

/** What was in the cache when a load began. Return it from the loader to keep its value, fresh anew. */
export interface Previous {
  readonly value: unknown
  readonly state: 'fresh' | 'stale'
  readonly ageMs: number
  readonly tags: readonly string[]
  /** Told apart from values by this. */
  readonly [previousBrand]: true
}
declare const previousBrand: unique symbol

/** A loaded value that is handed out and not kept. Made by {@link doNotCache}. */
export class DoNotCache<V> {
  readonly value: V
  constructor(value: V) {
    this.value = value
  }
}

/** Wraps what a loader returns so that everyone waiting gets it and no store keeps it. */
export function doNotCache<V>(value: V): DoNotCache<V> {
  return new DoNotCache(value)
}

/** What a loader is told. */
export interface LoadContext {
  readonly key: string
  /** Aborts when nobody waits for the load any more, when it has taken `timeouts.load`, or when the cache closes. */
  readonly signal: AbortSignal
  /** The entry this load replaces, or `undefined`. Return it when the origin says it has not changed. */
  readonly previous: Previous | undefined
  /**
   * How the value will be kept. A loader may change them from what it loaded. Tags it adds are checked for
   * invalidations since the load began, and the value is not kept if there were any.
   */
  readonly options: LoadOptions
}

/** Asks the origin for one key. One call of it is a load. */
export type Loader<V> = (context: LoadContext) => Awaitable<V | DoNotCache<V> | Previous>

/** What a {@link LoadMany} is told. */
export interface LoadManyContext {
  readonly signal: AbortSignal
  /** How the values will be kept; see {@link LoadContext.options}. */
  readonly options: LoadOptions
}

/**
 * Asks the origin for many keys at once. Answers with a `Map`, where a key that is left out does not exist
 * and is not kept, or with an array in the keys' order.
 */
export type LoadMany<V> = (
  keys: readonly string[],
  context: LoadManyContext,
) => Awaitable<ReadonlyMap<string, V | DoNotCache<V>> | readonly (V | DoNotCache<V>)[]>
