import type { Cache, Clock, Duration, Loader, LoadingOptions, LoadMany, Random } from '@flow-cache/core'

/** What a {@link CacheWarmer} is made with: a cache, and how the origin is asked. Give one of `load` and `loadMany`. */
export interface CacheWarmerOptions<V = unknown> {
  readonly cache: Cache
  /** Loads one key, as for `getOrSet`. */
  readonly load?: Loader<V> | undefined
  /** Loads many keys, as for `getOrSetMany`. One that is left out of its answer counts as absent. */
  readonly loadMany?: LoadMany<V> | undefined
  /** How many keys one `loadMany` is asked for at most; fewer where `rate` is low. Default: 100. */
  readonly batch?: number | undefined
  /** How many calls of the origin are under way at most. Fewer while it is slow or fails. Default: 4. */
  readonly concurrency?: number | undefined
  /** How many keys a second are loaded at most. What is fresh does not count. Default: `Infinity`. */
  readonly rate?: number | undefined
  /** How often a key is tried, and what is between two tries. Default: see {@link RetryOptions}. */
  readonly retry?: RetryOptions | undefined
  /** How values are kept, in place of the cache's own defaults. */
  readonly options?: LoadingOptions | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Where randomness comes from. Default: the system's. */
  readonly random?: Random | undefined
}

/** How a key that fails is tried again. */
export interface RetryOptions {
  /** How often it is tried in all. Default: 3. */
  readonly attempts?: number | undefined
  /** The pause before the second try; it doubles from try to try, and a random share of it is left out. Default: `'200ms'`. */
  readonly delay?: Duration | undefined
  /** The longest pause. Default: `'10s'`. */
  readonly maxDelay?: Duration | undefined
}

/** Options of one run. */
export interface WarmOptions {
  /** Ends the run: what is under way is left, and the report says `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Is told how far the run is, about ten times a second and at the end. What it throws is ignored. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** How many keys there are, where the iterable does not tell by its `length` or `size`. */
  readonly total?: number | undefined
}

/** How far a run is. */
export interface Progress {
  /** Keys that are done with: the sum of the next four. */
  readonly done: number
  readonly loaded: number
  /** Fresh already, or loaded by somebody else meanwhile. */
  readonly skipped: number
  /** Keys that the origin does not have. */
  readonly absent: number
  readonly failed: number
  /** How many there are, if that is known. */
  readonly total: number | undefined
  /** Keys a second, over the whole run so far. */
  readonly rate: number
  /** How long it will take at that rate, in milliseconds, if `total` is known. */
  readonly leftMs: number | undefined
}

/** What came of a run. */
export interface WarmReport extends Omit<Progress, 'leftMs'> {
  readonly ms: number
  readonly aborted: boolean
  /** What the last try of each failed key ended with: the first 1,000 of them. */
  readonly errors: ReadonlyMap<string, unknown>
}

/** Tells which keys are asked for most, as `CacheMetrics` does. */
export interface Analytics {
  /** The hottest keys first. */
  topKeys(limit: number): Iterable<{ readonly key: string; readonly namespace?: string | undefined }>
}

/** What holds where nothing else is said. */
export const defaults: Readonly<
  Record<'batch' | 'concurrency' | 'rate' | 'attempts' | 'delay' | 'maxDelay' | 'top', number>
> = Object.freeze({
  batch: 100,
  concurrency: 4,
  rate: Infinity,
  attempts: 3,
  delay: 200,
  maxDelay: 10_000,
  top: 1_000,
})
