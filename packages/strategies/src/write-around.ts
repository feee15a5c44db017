import type { Cache, Loader, LoadingOptions } from '@flow-cache/core'
import { withCall } from './cache-aside.js'
import type { CallOptions } from './call.js'
import { checkParts } from './checks.js'
import type { Deletes, Reads, Writes, WritesMany } from './origin.js'
import { type Entries, type WritePath, writePath } from './write-path.js'

/** What {@link WriteAround} takes, beside the options of any read. */
export interface WriteAroundOptions<V> extends LoadingOptions {
  readonly cache: Cache
  readonly origin: Reads<V> & Writes<V> & Deletes & Partial<WritesMany<V>>
}

/**
 * Writes to the origin and removes the entry; the next read loads it. For what is written more often than it is read.
 *
 * Once a write is acknowledged nobody reads what was there before, in no process that shares the cache: not from the
 * cache, and not by a load that was under way. If the origin fails, its error comes as it was thrown and the cache stays
 * as it is. Writes of one key in this process go to the origin one after the other.
 */
export class WriteAround<V> {
  readonly #cache: Cache
  readonly #options: LoadingOptions | undefined
  readonly #load: Loader<V | undefined>
  readonly #path: WritePath<V>

  constructor(options: WriteAroundOptions<V>) {
    this.#options = checkParts('WriteAround', options, ['read', 'write', 'delete'])
    const { cache, origin } = options
    this.#cache = cache
    this.#load = ({ key, signal }) => origin.read(key, { signal })
    this.#path = writePath(cache, origin, (key) => cache.delete(key))
  }

  /** The value, or `undefined` if the origin has none. */
  get(key: string, options?: CallOptions): Promise<V | undefined> {
    return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
  }

  /** Resolves when the origin has the value and no old one is left in the cache. */
  set(key: string, value: V, options?: CallOptions): Promise<void> {
    return this.#path.set(key, value, options)
  }

  /**
   * Writes several, with one `writeMany` where the origin has it and one by one where not. If any fails, the others may
   * have been written; no old entry is left of those that may have been.
   */
  setMany(entries: Entries<V>, options?: CallOptions): Promise<void> {
    return this.#path.setMany(entries, options)
  }

  /** Resolves when neither the origin nor the cache has the key. */
  delete(key: string, options?: CallOptions): Promise<void> {
    return this.#path.delete(key, options)
  }

  /** The same for several keys, one by one. If any fails, the others may be gone. */
  deleteMany(keys: Iterable<string>, options?: CallOptions): Promise<void> {
    return this.#path.deleteMany(keys, options)
  }
}
