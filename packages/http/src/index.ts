// Use
export { type Handler, type HttpCache, httpCache, type RespondOptions } from './http-cache.js'
export type { HttpCacheOptions } from './options.js'
