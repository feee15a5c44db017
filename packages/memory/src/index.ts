// Use
export { InMemoryCache, type InMemoryCacheOptions } from './in-memory-cache.js'
export { memoryStore } from './memory-store.js'
export type { MemoryStoreOptions, Policy } from './options.js'
export { SimpleCache, type SimpleCacheOptions, type SimpleCacheStats } from './simple-cache.js'
