// Use
export { cacheStep, type CacheStepOptions, type StepParams } from './cache-step.js'
