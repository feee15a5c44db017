// Use
export { cacheModel, type CacheModelOptions } from './cache-model.js'
