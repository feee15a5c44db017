// Keyv, cache-manager and @nestjs/cache-manager on a cache
export { type FlowKeyv, flowKeyv, type FlowKeyvOptions } from './flow-keyv.js'

// A cache on what Keyv keeps entries with
export { keyvStore, type KeyvStoreOptions } from './keyv-store.js'
export type { KeyvAdapter } from './keyv-adapter.js'
