export { MultiLevelCache, type MultiLevelCacheOptions } from './multi-level-cache.js'
export type { TieredStoreOptions, TierOptions } from './options.js'
export { tieredStore } from './tiered-store.js'
