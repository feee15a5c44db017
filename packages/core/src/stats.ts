/** What a cache has counted since it was made, its namespaces included. Every read is one of the first three. */
export interface CacheStats {
  /** Reads with a fresh answer from the store. */
  readonly hits: number
  /** Reads with a stale one, because the load failed, was slow or was held off. */
  readonly staleHits: number
  /** Reads with none from the store, whatever became of the load. */
  readonly misses: number
  /** Those of the misses (and stale hits) that joined a load under way. */
  readonly coalesced: number
  /** Loads that began; those that ended are `loadErrors` and the rest. */
  readonly loads: number
  readonly loadErrors: number
  /** Loaded values that were not kept, because key or tags changed meanwhile. */
  readonly fenced: number
  readonly sets: number
  readonly deletes: number
  /** Entries the store dropped for want of room. */
  readonly evictions: number
  /** Failing store calls, and others no caller was told of. */
  readonly errors: number
  /** Loads under way at this moment. */
  readonly loading: number
  /** `hits / (hits + staleHits + misses)`; 0 before the first read. */
  readonly hitRatio: number
}

/** The counters, as the engine holds them. */
export type Counters = { -readonly [K in Exclude<keyof CacheStats, 'loading' | 'hitRatio'>]: number }

export function counters(): Counters {
  return {
    hits: 0,
    staleHits: 0,
    misses: 0,
    coalesced: 0,
    loads: 0,
    loadErrors: 0,
    fenced: 0,
    sets: 0,
    deletes: 0,
    evictions: 0,
    errors: 0,
  }
}

export function statsOf(counted: Counters, loading: number): CacheStats {
  const reads = counted.hits + counted.staleHits + counted.misses
  return { ...counted, loading, hitRatio: reads === 0 ? 0 : counted.hits / reads }
}
