// Use
export { CacheAside, type CacheAsideOptions } from './cache-aside.js'
export { ReadThrough, type ReadThroughOptions } from './read-through.js'
export { RefreshAhead, type RefreshAheadOptions } from './refresh-ahead.js'
export {
  type DependsOn,
  SmartCache,
  type SmartCacheOptions,
  type SmartEntry,
  type SmartLoadContext,
  type SmartLoader,
} from './smart-cache.js'
export { WriteAround, type WriteAroundOptions } from './write-around.js'
export { type AfterWrite, WriteThroughCache, type WriteThroughOptions } from './write-through-cache.js'
export type { CallOptions } from './call.js'
export type { Entries } from './write-path.js'
export { WriteBehindCache } from './write-behind/write-behind-cache.js'
export { memoryJournal, type MemoryJournalOptions } from './journals/memory-journal.js'
export type {
  FullPolicy,
  RetryOptions,
  WriteBehindOptions,
  WriteBehindOrigin,
} from './write-behind/options.js'

// Implement
export type {
  Deletes,
  OriginCall,
  Reads,
  ReadsMany,
  WriteCall,
  WriteManyCall,
  Writes,
  WritesMany,
} from './origin.js'

// Observe
export type {
  FlushReport,
  WriteBehindEventName,
  WriteBehindEvents,
  WriteEvent,
} from './write-behind/events.js'
