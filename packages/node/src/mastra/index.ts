// Use
export { cacheStep, type CacheStepOptions } from './cache-step.js'
export type { RequestContext, StepParams } from './step-params.js'
