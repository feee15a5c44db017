import type { Cache, Loader, LoadingOptions } from '@flow-cache/core'
import { withCall } from './cache-aside.js'
import type { CallOptions } from './call.js'
import { checkParts } from './checks.js'
import { writeThroughDefaults } from './options.js'
import type { Deletes, Reads, Writes, WritesMany } from './origin.js'
import { type Entries, type WritePath, writePath } from './write-path.js'

/** How the entry is put right once the origin has the value. */
export type AfterWrite = 'load' | 'set'

/** What {@link WriteThroughCache} takes, beside the options of any read. */
export interface WriteThroughOptions<V> extends LoadingOptions {
  readonly cache: Cache
  readonly origin: Reads<V> & Writes<V> & Deletes & Partial<WritesMany<V>>
  /**
   * How the entry is put right once the origin has the value.
   *
   * - `'load'` (default): it is removed, and loaded from the origin before the write resolves. Right however many
   *   processes write the key, and costs one `read` for each write.
   * - `'set'`: the written value is put in its place, and nothing is read. Right while one process alone writes a key,
   *   whoever reads it. When two write it at once, the cache may keep the earlier value until its `ttl` is over.
   */
  readonly afterWrite?: AfterWrite | undefined
}

/**
 * Writes to the origin first, then brings the cache up to date: who reads after a write was acknowledged gets that value
 * or a later one, usually from the cache.
 *
 * - *The origin fails:* its error comes as it was thrown, and the cache stays as it is.
 * - *The cache fails after the origin took the value:* the entry is removed, or owed to be; it is never left old. The
 *   write has succeeded, so it resolves, unless the cache is made with `onStoreError: 'throw'` and could not remove it.
 * - *Writes at once:* those of one key in this process go to the origin one after the other, in the order of the calls.
 *   For several processes see `afterWrite`.
 */
export class WriteThroughCache<V> {
  readonly #cache: Cache
  readonly #options: LoadingOptions | undefined
  readonly #load: Loader<V | undefined>
  readonly #path: WritePath<V>
  readonly #loads: boolean

  constructor(options: WriteThroughOptions<V>) {
    const { afterWrite = writeThroughDefaults.afterWrite, ...parts } = options ?? {}
    if (afterWrite !== 'load' && afterWrite !== 'set') {
      throw new TypeError(`afterWrite must be 'load' or 'set', got ${String(afterWrite)}`)
    }
    const loading = checkParts('WriteThroughCache', parts, ['read', 'write', 'delete'])
    const { cache, origin } = parts
    this.#options = loading
    this.#cache = cache
    this.#load = ({ key, signal }) => origin.read(key, { signal })
    this.#loads = afterWrite === 'load'
    const put = async (key: string, value: V): Promise<void> => {
      try {
        await cache.set(key, value, loading)
      } catch {
        // A value the cache cannot keep, or a store that fails and says so.
        await cache.delete(key)
      }
    }
    this.#path = writePath(cache, origin, this.#loads ? (key) => cache.delete(key) : put)
  }

  /** The value, or `undefined` if the origin has none. */
  get(key: string, options?: CallOptions): Promise<V | undefined> {
    return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
  }

  /** Resolves when the origin has the value and the cache has it or nothing. */
  async set(key: string, value: V, options?: CallOptions): Promise<void> {
    await this.#path.set(key, value, options)
    // The write is done. If the load fails, the next reader tries again.
    if (this.#loads) await this.get(key, options).catch(() => {})
  }

  /**
   * Writes several, with one `writeMany` where the origin has it, and removes their entries: the next reads load them.
   * Without `writeMany`, each is written as by `set`. If any fails, the others may have been written; no old entry is
   * left of those that may have been.
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
