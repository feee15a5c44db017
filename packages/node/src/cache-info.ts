/**
 * How a call was answered.
 *
 * - `hit`, `stale`: from the cache.
 * - `miss`, `refresh`: it ran.
 * - `shared`: somebody else's run, that was under way.
 * - `bypass`: it ran, and the cache had no part in it.
 */
export type Status = 'hit' | 'miss' | 'shared' | 'stale' | 'refresh' | 'bypass'

/** What a cached node says of its answer, in `metadata.cache`. */
export interface CacheInfo {
  readonly status: Status
  /** Absent where none was made. */
  readonly key?: string
  /** Why it missed or was bypassed: `cold`, `inputs`, `version`, `scope`, `workflow`, `expired`, `cache-error`, … */
  readonly reason?: string
  readonly ageMs?: number
  /** For how long it stays fresh. */
  readonly ttlMs?: number
  /** What the cache itself took. */
  readonly lookupMs: number
  readonly savedMs?: number
  /** Of a `cacheMap`: how many items were there, and how many had to run. */
  readonly items?: { readonly hits: number; readonly misses: number }
  readonly saved?: { readonly tokens: number; readonly usd: number }
}
