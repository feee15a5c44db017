// Use
export { type FlowCacheDriver, flowCacheDriver, type FlowCacheDriverOptions } from './flow-cache-driver.js'
