// Use
export { langGraphCache, type LangGraphCacheOptions } from './graph-cache.js'
export { cachedNode, type CachedGraphNode, type CachedGraphNodeOptions } from './cached-node.js'
export { flowKey } from './flow-key.js'
export { conversation } from '../langchain/messages.js'
