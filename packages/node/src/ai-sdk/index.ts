export { aiSdkCache, type AiSdkCache, type AiSdkCacheOptions } from './ai-sdk-cache.js'
export { cacheEmbeddings, type CacheEmbeddings, type CacheEmbeddingsOptions } from './cache-embeddings.js'
export { cacheTool, type CacheToolOptions } from './cache-tool.js'
export { transportFields } from './call-key.js'
