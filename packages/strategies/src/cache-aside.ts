import type { Cache, EntryView, GetOrSetOptions, Loader, LoadingOptions } from '@flow-cache/core'
import type { CallOptions } from './call.js'
import { checkParts } from './checks.js'
import type { Reads } from './origin.js'

/** What {@link CacheAside} takes, beside the options of any read. */
export interface CacheAsideOptions<V> extends LoadingOptions {
  readonly cache: Cache
  readonly origin: Reads<V>
}

/**
 * Reads from the cache, and from the origin what the cache has not. You write to the origin yourself, and `delete` the
 * key afterwards.
 *
 * One load per key at a time; a load that began before a `delete` was acknowledged is not kept. What the origin does not
 * have is `undefined`, and kept like a value for `negativeTtl`. The origin's own error comes as it was thrown, where no
 * stale value stands in.
 */
export class CacheAside<V> {
  readonly #cache: Cache
  readonly #options: LoadingOptions | undefined
  readonly #load: Loader<V | undefined>

  constructor(options: CacheAsideOptions<V>) {
    this.#options = checkParts('CacheAside', options, ['read'])
    const { cache, origin } = options
    this.#cache = cache
    this.#load = ({ key, signal }) => origin.read(key, { signal })
  }

  /** The value, or `undefined` if the origin has none. */
  get(key: string, options?: CallOptions): Promise<V | undefined> {
    return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
  }

  /** The entry in the cache, fresh or stale, or `undefined`. The origin is not asked. */
  getEntry(key: string): Promise<EntryView<V | undefined> | undefined> {
    return this.#cache.getEntry<V | undefined>(key)
  }

  /** Removes the entry and leaves the origin alone: call it when the origin has changed, and not before. */
  delete(key: string): Promise<boolean> {
    return this.#cache.delete(key)
  }

  /** The same for several keys; tells how many entries there were. */
  deleteMany(keys: Iterable<string>): Promise<number> {
    return this.#cache.deleteMany(keys)
  }

  /** Makes the entry stale: the next read asks the origin, and has the old value for its grace if that fails. */
  expire(key: string): Promise<boolean> {
    return this.#cache.expire(key)
  }
}

/** The options of one read. The cache's fast path wants none that need not be there. */
export function withCall(
  options: LoadingOptions | undefined,
  call: CallOptions | undefined,
): GetOrSetOptions | undefined {
  return call?.signal === undefined ? options : { ...options, signal: call.signal }
}
