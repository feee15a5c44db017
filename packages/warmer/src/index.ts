// Use
export { CacheWarmer, type KeysToWarm } from './cache-warmer.js'
export type { Schedule } from './schedule.js'
export type { CacheWarmerOptions, Progress, RetryOptions, WarmOptions, WarmReport } from './options.js'

// Implement
export type { Analytics } from './options.js'
