import { LRUCache } from 'lru-cache'
import type { Bounded } from './bounded.js'
import { type Bounds, mostEntries } from './options.js'

/** An `LRUCache`, with what it lacks here. */
export interface Lru<V extends object> {
  readonly cache: LRUCache<string, V>
  /** Its keys, in the order they came. An iterator of them bears any change. */
  readonly keys: ReadonlyMap<string, unknown>
  /** Removes an entry, at the same cost however much it could hold; tells whether there was one. */
  drop(key: string): boolean
}

/**
 * An empty one, bounded by entries, by bytes or by both; `Infinity` is no bound.
 *
 * `onEvict` is told what is dropped for want of room, in the middle of it: it may not call back.
 */
export function lruOf<V extends object>(
  maxEntries: number,
  maxBytes: number,
  onEvict: (value: V, key: string) => void,
): Lru<V> {
  let dropping = false
  const cache = new LRUCache<string, V>({
    // Its own word for no bound is 0.
    max: maxEntries === Infinity ? 0 : maxEntries,
    maxSize: maxBytes === Infinity ? 0 : maxBytes,
    noDisposeOnSet: true,
    dispose(value, key, reason) {
      if (reason === 'evict' && !dropping) onEvict(value, key)
    },
  })
  return {
    cache,
    // Its own iterators walk in order of use, and when the entry they stand at is used or removed they end early,
    // go astray or never end. Those of its map do not. Nothing else is taken from the inside, and it is only read.
    keys: LRUCache.unsafeExposeInternals<string, V>(cache).keyMap,
    drop(key) {
      // Deleting its last entry, it wipes a slot for each it could hold. Evicting that entry, it does not.
      if (cache.size > 1) return cache.delete(key)
      if (!cache.has(key)) return false
      dropping = true
      cache.pop()
      dropping = false
      return true
    },
  }
}

/** Entries of which the one used longest ago goes. */
export function boundedLru<V extends object>(
  { maxEntries, maxBytes, sizeOf }: Bounds,
  onEvict: (value: V, key: string) => void,
): Bounded<V> {
  const { cache, keys, drop } = lruOf(maxEntries, maxBytes, onEvict)
  return {
    keys,
    get: (key) => cache.get(key),
    peek: (key) => cache.peek(key),
    set(key, value, size) {
      if (sizeOf === undefined) {
        cache.set(key, value)
        return
      }
      if (keys.size >= mostEntries && !keys.has(key)) cache.pop()
      cache.set(key, value, { size })
    },
    drop,
    clear() {
      cache.clear()
    },
  }
}
