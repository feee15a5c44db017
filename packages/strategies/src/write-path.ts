import { type Cache, CacheError } from '@flow-cache/core'
import { type CallOptions, originCall } from './call.js'
import { checkKey } from './checks.js'
import { type InOrder, inOrder } from './in-order.js'
import type { Deletes, Writes, WritesMany } from './origin.js'

/** Several values, as a `Map`, as pairs or as an object. */
export type Entries<V> = Iterable<readonly [key: string, value: V]> | Readonly<Record<string, V>>

/** Writes to an origin, with a cache beside it that is put right afterwards. */
export interface WritePath<V> {
  set(key: string, value: V, options?: CallOptions): Promise<void>
  delete(key: string, options?: CallOptions): Promise<void>
  setMany(entries: Entries<V>, options?: CallOptions): Promise<void>
  deleteMany(keys: Iterable<string>, options?: CallOptions): Promise<void>
}

/**
 * Origin first, then the cache; one write at a time for each key among all that write beside this cache in this process. `keep` is called when the origin has
 * the value, and before the key's next write begins.
 *
 * The entry is touched after the origin and not before: whoever reads the old row between the two cannot keep it, since
 * the cache's change fences all that began before it was acknowledged.
 */
export function writePath<V>(
  cache: Cache,
  origin: Writes<V> & Deletes & Partial<WritesMany<V>>,
  keep: (key: string, value: V) => Promise<unknown>,
): WritePath<V> {
  const order = orderOf(cache)

  /** Before the origin is written: a cache that cannot be put right afterwards is told of in time. */
  const assertOpen = (): void => {
    if (cache.closed) throw new CacheError('ERR_CLOSED', 'the cache is closed: nothing was written')
  }

  const set = async (key: string, value: V, options: CallOptions = {}): Promise<void> => {
    checkKey(key)
    assertOpen()
    const write = async (): Promise<void> => {
      await origin.write(key, value, originCall(options))
      await keep(key, value)
    }
    await order.run([key], write, options.signal)
  }

  const remove = async (key: string, options: CallOptions = {}): Promise<void> => {
    checkKey(key)
    assertOpen()
    const erase = async (): Promise<void> => {
      await origin.delete(key, originCall(options))
      await cache.delete(key)
    }
    await order.run([key], erase, options.signal)
  }

  const setTogether = async (values: ReadonlyMap<string, V>, options: CallOptions): Promise<void> => {
    assertOpen()
    const keys = [...values.keys()]
    const write = async (): Promise<void> => {
      try {
        await origin.writeMany!([...values], originCall(options))
      } finally {
        // If it failed, any part of them may have been written.
        await cache.deleteMany(keys)
      }
    }
    await order.run(keys, write, options.signal)
  }

  return {
    set,
    delete: remove,
    async setMany(entries, options = {}) {
      const values = new Map(Symbol.iterator in entries ? entries : Object.entries(entries))
      for (const key of values.keys()) checkKey(key)
      if (values.size === 0) return
      if (origin.writeMany !== undefined) await setTogether(values, options)
      else await all([...values].map(([key, value]) => set(key, value, options)))
    },
    async deleteMany(keys, options) {
      if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
        throw new TypeError('keys must be an array or another iterable of strings')
      }
      const wanted = [...new Set(keys)]
      for (const key of wanted) checkKey(key)
      await all(wanted.map((key) => remove(key, options)))
    },
  }
}

/** What orders the writes beside each cache: several strategies over one write one after the other, too. */
const orders = new WeakMap<Cache, InOrder>()

function orderOf(cache: Cache): InOrder {
  const order = orders.get(cache) ?? inOrder()
  orders.set(cache, order)
  return order
}

/** Waits for every one, and fails as the first that failed. */
async function all(tasks: readonly Promise<void>[]): Promise<void> {
  for (const task of await Promise.allSettled(tasks)) if (task.status === 'rejected') throw task.reason
}
