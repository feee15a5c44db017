import {
  CacheError,
  createEntry,
  type Duration,
  type Entry,
  graceOf,
  type Store,
  systemClock,
  systemRandom,
  toMs,
} from '@flow-cache/core'
import { adaptiveOf } from './adaptive/policy.js'
import { boundedLru } from './lru.js'
import {
  boundsOf,
  checkClock,
  checkNames,
  checkRandom,
  type MemoryStoreOptions,
  policyOf,
  show,
  storeOptionNames,
} from './options.js'
import { scanOf } from './scan.js'
import { Sweeper } from './sweeper.js'

/** With less than this left, in milliseconds, the exact clock is asked instead of the coarse one. */
const nearEnd = 50

/**
 * A bounded store in this process. It keeps values as they are, answers at once, and when room is needed drops an
 * entry by its `policy`.
 *
 * After `close()` it is empty, and `set` is a `CacheError` with the code `ERR_CLOSED`.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  checkNames(options, storeOptionNames, 'memoryStore')
  const bounds = boundsOf(options)
  const { maxEntries, maxBytes, sizeOf } = bounds
  const policy = policyOf(options)
  const sweepInterval = intervalOf(options.sweepInterval)
  const clock = checkClock(options.clock ?? systemClock)
  const random = checkRandom(options.random ?? systemRandom)
  const coarse = clock.coarse === undefined ? () => clock.now() : () => clock.coarse!()

  const followers = new Set<(key: string) => void>()
  /** Evicted by the `set` under way. */
  let evicted: string[] = []
  let closed = false

  const onEvict = (entry: Entry, key: string): void => {
    if (followers.size > 0 && !isDead(entry)) evicted.push(key)
  }
  const held =
    policy === 'lru'
      ? boundedLru(bounds, onEvict)
      : adaptiveOf<Entry>({
          bounds,
          random,
          onEvict,
          isDead: (entry) => entry.expiresAt <= coarse() || hasEnded(entry.tags),
          endsAt: ({ expiresAt }) => expiresAt,
          now: coarse,
        })
  const { keys } = held
  const sweeper = new Sweeper(clock, sweepInterval, keys, (key) => {
    const entry = held.peek(key)
    if (entry === undefined) return Infinity
    if (!isDead(entry)) return mayDieAt(entry)
    held.drop(key)
    return Infinity
  })

  function isLive(entry: Entry): boolean {
    return entry.expiresAt - coarse() > nearEnd || entry.expiresAt > clock.now()
  }

  /** Whether the entry only takes up space. */
  function isDead(entry: Entry): boolean {
    return !isLive(entry) || hasEnded(entry.tags)
  }

  function get(key: string): Entry | undefined {
    const entry = held.get(key)
    if (entry === undefined || isLive(entry)) return entry
    remove(key)
    return undefined
  }

  function peek(key: string): Entry | undefined {
    const entry = held.peek(key)
    return entry !== undefined && isLive(entry) ? entry : undefined
  }

  function remove(key: string): void {
    if (held.drop(key) && keys.size === 0) sweeper.stop()
  }

  function removeLive(key: string): boolean {
    const found = peek(key) !== undefined
    remove(key)
    return found
  }

  function set(key: string, entry: Entry): void {
    if (closed) throw new CacheError('ERR_CLOSED', 'the store is closed', { key })
    const size = isLive(entry) ? sizeIn(key, entry.value) : Infinity
    if (size > maxBytes || size === Infinity) {
      remove(key)
      return
    }
    const kept = entry.tier === 0 ? entry : ofThisTier(entry)
    held.set(key, kept, size)
    sweeper.note(mayDieAt(entry))
    if (evicted.length > 0) tell()
  }

  /** The bytes to count, a whole number; 1 where none are counted. For a value without a size, the entry before goes. */
  function sizeIn(key: string, value: unknown): number {
    if (sizeOf === undefined) return 1
    let size: unknown
    try {
      size = sizeOf(value, key)
    } catch (cause) {
      remove(key)
      throw new CacheError('ERR_VALUE', 'sizeOf failed for the value', { key, cause })
    }
    if (typeof size === 'number' && size >= 0) return Math.max(1, Math.ceil(size))
    remove(key)
    throw new CacheError('ERR_VALUE', `sizeOf must return a number from 0, got ${show(size)}`, { key })
  }

  /** Tells who follows, once the work is done: they may call the store. */
  function tell(): void {
    const told = evicted
    evicted = []
    for (const key of told) for (const follower of followers) follower(key)
  }

  function clear(prefix = ''): void {
    if (prefix === '') {
      held.clear()
      sweeper.stop()
    } else for (const key of keys.keys()) if (key.startsWith(prefix)) remove(key)
  }

  return {
    tiers: ['memory'],
    ...(maxEntries !== Infinity && { maxEntries }),
    get,
    set,
    delete: removeLive,
    clear,
    close() {
      closed = true
      clear()
    },
    // Whoever asks the nearest tier compares the instants anyway.
    local: { get: held.get, peek },
    batch: {
      getMany: (wanted) => wanted.map(get),
      setMany(entries) {
        for (const [key, entry] of entries) set(key, entry)
      },
      deleteMany: (unwanted) => unwanted.filter(removeLive).length,
    },
    keys: { scan: scanOf(keys, (key) => peek(key) !== undefined, clock) },
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

/** Whether one of them was invalidated. */
function hasEnded(tags: Entry['tags']): boolean {
  return tags !== undefined && tags.some((tag) => tag.alive === false)
}

/** A tag may be invalidated at any time. */
const mayDieAt = (entry: Entry): number => (entry.tags === undefined ? entry.expiresAt : 0)

function intervalOf(sweepInterval: Duration = '30s'): number {
  const ms = toMs(sweepInterval, 'sweepInterval')
  if (ms === 0) throw new RangeError('sweepInterval must not be 0')
  return ms
}

/** An entry that another tier handed out, as this store's own. */
function ofThisTier(entry: Entry): Entry {
  const { value, createdAt, staleAt, loadMs, tags, version } = entry
  return createEntry({
    value,
    createdAt,
    ttl: staleAt - createdAt,
    grace: graceOf(entry),
    loadMs,
    tags,
    version,
  })
}
