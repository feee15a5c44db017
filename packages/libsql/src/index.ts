// Use
export { LibsqlCache, type LibsqlCacheOptions } from './libsql-cache.js'
export { libsqlStore } from './libsql-store.js'
export type { LibsqlStoreOptions } from './options.js'
