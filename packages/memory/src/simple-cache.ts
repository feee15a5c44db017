import { cloneOf, type Clock, type Duration, freezeOf, systemClock, toMs } from '@flow-cache/core'
import { type Lru, lruOf } from './lru.js'
import { checkClock, checkCount, checkNames, mostEntries, show } from './options.js'

/** What {@link SimpleCache} takes. */
export interface SimpleCacheOptions {
  /** How many entries it holds at most: a whole number up to 8,388,608. Default: 1,000. */
  readonly maxSize?: number | undefined
  /**
   * How long an entry is kept, in milliseconds or as `'5m'`. Default: `Infinity`, until its room is needed.
   *
   * - `0`: not at all.
   */
  readonly ttl?: Duration | undefined
  /**
   * What callers and cache share.
   *
   * - `'share'` (default): one object, for everyone; treat it as read-only.
   * - `'clone'`: each caller gets a copy, and the cache keeps one of its own. For plain data.
   * - `'freeze'`: one object for everyone, deeply frozen.
   */
  readonly copy?: 'share' | 'clone' | 'freeze' | undefined
  /** Where time comes from. Only asked for entries that end. Default: the platform's clock. */
  readonly clock?: Clock | undefined
}

/** What a {@link SimpleCache} has counted since it was made. */
export interface SimpleCacheStats {
  /** Reads that found a value. `has` is no read. */
  readonly hits: number
  readonly misses: number
  readonly sets: number
  /** Entries that were there to be deleted. */
  readonly deletes: number
  /** Entries dropped for want of room. */
  readonly evictions: number
  readonly size: number
  readonly maxSize: number
  /** `hits / (hits + misses)`; 0 before the first read. */
  readonly hitRatio: number
}

interface Kept<V> {
  readonly value: V
  readonly expiresAt: number
}

const copies = { share: <T>(value: T): T => value, clone: cloneOf, freeze: freezeOf }

/**
 * A synchronous cache, for what is computed and not fetched. The entry used
 * longest ago goes when room is needed, and an expired one when it is met. No promises, no timers, nothing to close.
 *
 * A key that is not a non-empty string is a `TypeError`.
 */
export class SimpleCache<V = unknown> {
  readonly #lru: Lru<Kept<V>>
  readonly #ttl: number
  /** A value as it is kept, and as it is handed out. */
  readonly #give: <T>(value: T) => T
  readonly #clock: Clock
  #hits = 0
  #misses = 0
  #sets = 0
  #deletes = 0
  #evictions = 0

  constructor(options: SimpleCacheOptions = {}) {
    checkNames(options, ['maxSize', 'ttl', 'copy', 'clock'], 'SimpleCache')
    const { maxSize = 1_000, ttl = Infinity, copy = 'share', clock = systemClock } = options
    if (!Object.hasOwn(copies, copy)) {
      throw new TypeError(`copy must be 'share' or 'clone' or 'freeze', got ${show(copy)}`)
    }
    this.#give = copies[copy]
    if (maxSize === Infinity) throw new RangeError('maxSize must be finite')
    this.#ttl = toMs(ttl, 'ttl')
    this.#clock = checkClock(clock)
    this.#lru = lruOf(checkCount(maxSize, 'maxSize', mostEntries), Infinity, (kept) => {
      if (this.#isLive(kept)) this.#evictions++
    })
  }

  /** How many entries are held; an expired one counts until it is met. */
  get size(): number {
    return this.#lru.keys.size
  }

  /** The value, or `undefined`. A cached `undefined` looks the same; `has` tells them apart. */
  get(key: string): V | undefined {
    const kept = this.#read(key)
    return kept && this.#give(kept.value)
  }

  /** Whether there is a value, `undefined` and `null` included. Not a use and not a read. */
  has(key: string): boolean {
    return this.#peek(checkKey(key)) !== undefined
  }

  /** Replaces the entry. A `ttl` of `0` keeps nothing, and what was there goes. */
  set(key: string, value: V, ttl?: Duration): this {
    checkKey(key)
    const ms = ttl === undefined ? this.#ttl : toMs(ttl, 'ttl')
    const kept = this.#give(value)
    if (ms === 0) this.#lru.drop(key)
    else
      this.#lru.cache.set(key, {
        value: kept,
        expiresAt: ms === Infinity ? Infinity : this.#clock.now() + ms,
      })
    this.#sets++
    return this
  }

  /** The value; if there is none, what `make` returns, which is kept. What it throws is thrown, and not kept. */
  getOrSet(key: string, make: (key: string) => V, ttl?: Duration): V {
    const kept = this.#read(key)
    if (kept !== undefined) return this.#give(kept.value)
    const value = make(key)
    this.set(key, value, ttl)
    return this.#give(value)
  }

  /** Removes the entry; tells whether there was one. */
  delete(key: string): boolean {
    const found = this.#peek(checkKey(key)) !== undefined
    this.#lru.drop(key)
    if (found) this.#deletes++
    return found
  }

  /** Removes every entry. The counters stay. */
  clear(): void {
    this.#lru.cache.clear()
  }

  /** The keys, in the order they came. Not a use. The cache may change meanwhile, as a `Map` may. */
  *keys(): Generator<string, void, undefined> {
    for (const [key] of this.entries()) yield key
  }

  /** Keys and values, in the order they came. Not a use. The cache may change meanwhile, as a `Map` may. */
  *entries(): Generator<[key: string, value: V], void, undefined> {
    for (const key of this.#lru.keys.keys()) {
      const kept = this.#peek(key)
      if (kept !== undefined) yield [key, this.#give(kept.value)]
    }
  }

  stats(): SimpleCacheStats {
    const reads = this.#hits + this.#misses
    return {
      hits: this.#hits,
      misses: this.#misses,
      sets: this.#sets,
      deletes: this.#deletes,
      evictions: this.#evictions,
      size: this.size,
      maxSize: this.#lru.cache.max,
      hitRatio: reads === 0 ? 0 : this.#hits / reads,
    }
  }

  #isLive(kept: Kept<V>): boolean {
    return kept.expiresAt === Infinity || kept.expiresAt > this.#clock.now()
  }

  #read(key: string): Kept<V> | undefined {
    const kept = this.#lru.cache.get(checkKey(key))
    if (kept !== undefined && this.#isLive(kept)) {
      this.#hits++
      return kept
    }
    this.#misses++
    if (kept !== undefined) this.#lru.drop(key)
    return undefined
  }

  #peek(key: string): Kept<V> | undefined {
    const kept = this.#lru.cache.peek(key)
    return kept !== undefined && this.#isLive(kept) ? kept : undefined
  }
}

function checkKey(key: string): string {
  if (typeof key === 'string' && key !== '') return key
  throw new TypeError(`a key must be a non-empty string, got ${show(key)}`)
}
