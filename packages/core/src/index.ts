// Use
export { Cache, createCache } from './cache.js'
export type {
  CacheOptions,
  CacheSettings,
  CircuitOptions,
  GetOrSetOptions,
  KeepOptions,
  LoadingOptions,
  LoadOptions,
  SetOptions,
  Timeouts,
  AsyncContext,
} from './options.js'
export {
  doNotCache,
  type DoNotCache,
  type LoadContext,
  type Loader,
  type LoadMany,
  type LoadManyContext,
  type Previous,
} from './loader.js'
export type { EntryView, Explanation } from './explaining.js'
export type { Wrappable, Wrapped, WrapOptions } from './wrapping.js'
export type { Schema, SchemaResult } from './schema.js'
export { type Duration, toMs, ttlOf, type Volatility, volatility } from './duration.js'
export { canonical, keyOf, type KeyCodec, type KeyOptions } from './key-of.js'

// Implement
export { cacheOptionNames } from './plan.js'
export type {
  Acquired,
  Alone,
  Awaitable,
  Batch,
  Change,
  Evictions,
  Keys,
  Leases,
  Local,
  Log,
  LogListener,
  Store,
  Tags,
} from './store.js'
export {
  createEntry,
  type Entry,
  type EntryFields,
  freshness,
  type Freshness,
  graceOf,
  type TagVersion,
} from './entry.js'
export type { Codec } from './codec.js'
export type {
  ClaimedWrite,
  DeadLetter,
  Journal,
  JournalCounts,
  JournaledWrite,
  JournalFailure,
  JournalOperation,
  JournalReceipt,
  JournalWrite,
  LocalJournal,
} from './journal.js'
export { type Clock, systemClock, type Timer } from './clock.js'
export { type Random, randomId, systemRandom } from './random.js'
export { escapeGlob, matchGlob } from './glob.js'
export { cloneOf, freezeOf } from './copy.js'
export { UnderWay } from './under-way.js'
export { timeoutFor } from './parts.js'

// Observe
export { type CacheEvents, type EventName, eventNames, type KeyEvent, type Listener } from './events.js'
export type { CacheStats } from './stats.js'
export type { HitWatcher, Watcher } from './watcher.js'

// Errors
export { CacheError, type CacheErrorCode, CacheKeyError } from './errors.js'
