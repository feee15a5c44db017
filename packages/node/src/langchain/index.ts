// Use
export { cachedModel, type CachedModelOptions, transportOptions } from './cached-model.js'
export { langChainCache, type LangChainCacheOptions } from './llm-cache.js'
export type { AnswerRules, FlowCacheNote } from './generations.js'
export { conversation } from './messages.js'
