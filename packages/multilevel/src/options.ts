import type { Clock, Duration, Store } from '@flow-cache/core'

/** One tier: a store, and what holds for it here. */
export interface TierOptions {
  readonly store: Store
  /**
   * The longest an entry is used from this tier before the next one is asked again. Default: a minute for a tier in
   * this process that has a shared one behind it, otherwise `Infinity`.
   */
  readonly ttl?: Duration | undefined
}

/** What {@link tieredStore} takes. */
export interface TieredStoreOptions {
  /** The tiers, the nearest first: stores, or stores with options. */
  readonly tiers: readonly (Store | TierOptions)[]
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}
