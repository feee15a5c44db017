// Use
export { InMemoryCache, type InMemoryCacheOptions } from './in-memory-cache.js'
export { memoryStore, type MemoryStoreOptions } from './memory-store.js'
export { SimpleCache, type SimpleCacheOptions, type SimpleCacheStats } from './simple-cache.js'
