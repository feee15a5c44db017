import type { Counts, Totals } from './counts.js'
import type { Latency } from './histogram.js'

/** What `CacheMetrics.report` answers: since `since`, by cache, and all together. Times are in milliseconds. */
export interface MetricsReport {
  /** When counting began, and when this was drawn up: milliseconds since the epoch. */
  readonly since: number
  readonly at: number
  /** By the names that the caches were given. */
  readonly caches: Readonly<Record<string, CacheReport>>
  readonly total: Totals
  readonly saved: Saved
}

/** What one cache did. */
export interface CacheReport extends Totals {
  /** Failures that no caller was told of, such as those of a store. */
  readonly errors: number
  /** Loads under way. */
  readonly loading: number
  /** Whether the store is asked (`'closed'`), given up, or being tried. */
  readonly circuit: 'open' | 'half-open' | 'closed'
  /** The nearest first. */
  readonly tiers: readonly TierReport[]
  readonly namespaces: Readonly<Record<string, Totals>>
  readonly latency: {
    /** Of hits, from the call to the answer; of a sample of them. */
    readonly hit: Latency
    /** Of loaders, those that failed included. */
    readonly load: Latency
  }
}

/** What one tier answered. */
export interface TierReport {
  readonly name: string
  readonly hits: number
  /** How long these hits took, the look into nearer tiers included; of a sample of them. */
  readonly latency: Latency
}

/** What caching has saved so far. */
export interface Saved {
  /** What loading the answers of hits had taken. Values that were set, not loaded, count nothing. */
  readonly ms: number
  /** US dollars and tokens, where the option `savings` says them; otherwise 0. */
  readonly usd: number
  readonly tokens: number
}

/** One point of a hit-ratio curve. */
export interface CurvePoint {
  /** How many entries the cache would hold. */
  readonly entries: number
  /** The same as a multiple of what it holds now, where that is known. */
  readonly factor: number | undefined
  /** What share of the reads an LRU cache of that size would have answered. */
  readonly hitRatio: number
}

/** Counts by cache and namespace, as exporters want them. */
export interface NamedCounts {
  readonly cache: string
  readonly namespace: string
  readonly counts: Counts
}
