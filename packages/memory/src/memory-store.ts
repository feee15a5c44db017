import {
  CacheError,
  type Clock,
  createEntry,
  type Duration,
  type Entry,
  graceOf,
  type Store,
  systemClock,
  toMs,
} from '@flow-cache/core'
import { LRUCache } from 'lru-cache'
import { boundsOf, checkNames, mostEntries } from './bounds.js'
import { scanOf } from './scan.js'
import { Sweeper } from './sweeper.js'

/** What {@link memoryStore} takes. */
export interface MemoryStoreOptions {
  /**
   * How many entries it holds at most: a whole number up to 8,388,608. The lists for all of them are made at once,
   * 24 bytes an entry. Default: 10,000, or no bound of its own where there is `maxBytes`.
   */
  readonly maxEntries?: number | undefined
  /** How many bytes its entries take at most, as `sizeOf` counts them. Default: no such bound. */
  readonly maxBytes?: number | undefined
  /**
   * What an entry takes of `maxBytes`. At least 1 is counted; `Infinity` keeps it out. Default: an estimate for plain
   * values with all that is kept around them, which looks at some 4,000 parts of a large value and infers the rest.
   */
  readonly sizeOf?: ((value: unknown, key: string) => number) | undefined
  /** Which entry goes when room is needed. `'lru'` (default): the one used longest ago. */
  readonly policy?: 'lru' | undefined
  /** Where time comes from. Default: the platform's clock. */
  readonly clock?: Clock | undefined
  /**
   * How long after one search for expired entries the next begins. They are never answered; this gives their space
   * back. Default: `'30s'`. `Infinity`: no search, and no timer.
   */
  readonly sweepInterval?: Duration | undefined
}

const known = ['maxEntries', 'maxBytes', 'sizeOf', 'policy', 'clock', 'sweepInterval'] as const

/** Those of a cache's options that are this store's. `clock` belongs to both. */
export const storeOptionNames: readonly (keyof MemoryStoreOptions)[] = known

/** Below this, in milliseconds, the exact clock is asked instead of the coarse one. */
const nearEnd = 50

/**
 * A bounded store in this process. Holds values as they are, drops the entry used longest ago when room is needed,
 * and answers at once.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  checkNames(options, known, 'memoryStore')
  const { maxEntries, maxBytes, sizeOf } = boundsOf(options)
  const { clock = systemClock } = options
  const coarse = clock.coarse === undefined ? () => clock.now() : () => clock.coarse!()

  /** Keys evicted by the call under way. */
  let evicted: string[] = []
  const followers = new Set<(key: string) => void>()
  let dropping = false
  let closed = false

  const lru = new LRUCache<string, Entry>({
    // Its own word for "no such bound" is 0.
    max: maxEntries === Infinity ? 0 : maxEntries,
    maxSize: maxBytes === Infinity ? 0 : maxBytes,
    noDisposeOnSet: true,
    // Called in the middle of its work, where nobody may call it back: who follows is told afterwards.
    dispose: (entry, key, reason) => {
      if (reason === 'evict' && !dropping && followers.size > 0 && !isDead(entry)) evicted.push(key)
    },
  })
  // Its own iterators walk in order of use and lose their place when the entry they stand at is used or dropped.
  // Its map's do not. This is the one thing taken from the inside, and only read.
  const { keyMap } = LRUCache.unsafeExposeInternals<string, Entry>(lru)

  const isLive = (entry: Entry): boolean =>
    entry.expiresAt - coarse() > nearEnd || entry.expiresAt > clock.now()
  const isDead = (entry: Entry): boolean =>
    !isLive(entry) || entry.tags?.some((tag) => tag.alive === false) === true

  const sweeper = new Sweeper(clock, interval(options.sweepInterval), keyMap, (key) => {
    const entry = lru.peek(key)
    if (entry !== undefined && isDead(entry)) drop(key)
  })

  function drop(key: string): boolean {
    // Deleting its last entry, lru-cache wipes every slot it has; popping that entry, it does not.
    if (lru.size > 1) return lru.delete(key)
    if (!lru.has(key)) return false
    dropping = true
    lru.pop()
    dropping = false
    sweeper.stop()
    return true
  }

  function get(key: string): Entry | undefined {
    const entry = lru.get(key)
    if (entry === undefined || isLive(entry)) return entry
    drop(key)
    return undefined
  }

  function peek(key: string): Entry | undefined {
    const entry = lru.peek(key)
    return entry !== undefined && isLive(entry) ? entry : undefined
  }

  function set(key: string, entry: Entry): void {
    if (closed) throw new CacheError('ERR_CLOSED', 'the store is closed', { key })
    if (!isLive(entry)) {
      drop(key)
      return
    }
    const kept = entry.tier === 0 ? entry : ofThisTier(entry)
    if (lru.size >= mostEntries && !lru.has(key)) lru.pop()
    if (sizeOf === undefined) lru.set(key, kept)
    else {
      const size = sizeIn(key, kept)
      if (size > maxBytes) drop(key)
      else lru.set(key, kept, { size })
    }
    sweeper.start()
    if (evicted.length > 0) tell()
  }

  /** The bytes to count, a whole number. A value without a size is refused, and the entry before goes. */
  function sizeIn(key: string, { value }: Entry): number {
    let size: unknown
    let cause: unknown
    try {
      size = sizeOf!(value, key)
    } catch (error) {
      cause = error
    }
    if (typeof size === 'number' && size >= 0) return Math.max(1, Math.ceil(size))
    drop(key)
    throw cause === undefined
      ? new CacheError('ERR_VALUE', `sizeOf must return a number of bytes, got ${String(size)}`, { key })
      : new CacheError('ERR_VALUE', 'sizeOf failed for the value', { key, cause })
  }

  function tell(): void {
    const keys = evicted
    evicted = []
    for (const key of keys) for (const follower of followers) follower(key)
  }

  function remove(key: string): boolean {
    const wasLive = peek(key) !== undefined
    drop(key)
    return wasLive
  }

  function clear(prefix = ''): void {
    if (prefix !== '') {
      for (const key of keyMap.keys()) if (key.startsWith(prefix)) drop(key)
      return
    }
    lru.clear()
    sweeper.stop()
  }

  return {
    tiers: ['memory'],
    get,
    set,
    delete: remove,
    clear,
    close() {
      closed = true
      clear()
    },
    local: { get, peek },
    batch: {
      getMany: (keys) => keys.map(get),
      setMany(entries) {
        for (const [key, entry] of entries) set(key, entry)
      },
      deleteMany: (keys) => keys.filter(remove).length,
    },
    keys: { scan: scanOf(keyMap, (key) => peek(key) !== undefined, clock) },
    evictions: {
      follow(listener) {
        // Wrapped, so that one function can follow twice and stop once.
        const follower = (key: string): void => listener(key)
        followers.add(follower)
        return () => {
          followers.delete(follower)
        }
      },
    },
  }
}

function interval(sweepInterval: Duration = '30s'): number {
  const ms = toMs(sweepInterval, 'sweepInterval')
  if (ms === 0) throw new RangeError('sweepInterval must not be 0')
  return ms
}

/** An entry that another tier handed out, as this store's own. */
function ofThisTier(entry: Entry): Entry {
  const { value, createdAt, staleAt, loadMs, tags, version } = entry
  return createEntry({ value, createdAt, ttl: staleAt - createdAt, grace: graceOf(entry), loadMs, tags, version })
}
