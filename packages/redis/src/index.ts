// Use
export { RedisCache, type RedisCacheOptions } from './redis-cache.js'
export { redisStore } from './redis-store.js'
export { shardedStore, type ShardedStoreOptions } from './sharded/sharded-store.js'
export { type RedisJournal, redisJournal } from './journal/redis-journal.js'
export type { JournalConfirmation, RedisJournalOptions } from './journal/journal-options.js'
export type { RedisConnectionOptions, RedisStoreOptions } from './options.js'

// Codecs
export { jsonCodec, plainCodec } from '@flow-cache/core/codec'
export { compressed, type CompressionOptions } from './codecs/compressed.js'
export { encrypted, type EncryptionOptions } from './codecs/encrypted.js'
