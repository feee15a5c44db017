export { type AgentsCacheOptions, cachedModel, cachedModelProvider } from './cached-model.js'
export { transportFields } from './request-key.js'
