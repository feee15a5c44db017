// Use
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
