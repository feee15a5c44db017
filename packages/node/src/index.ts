// Use
export {
  type Asked,
  cacheNode,
  type CachedNode,
  type CacheNodeOptions,
  type CallContext,
  type NodeExplanation,
} from './cache-node.js'
export { type CachedFn, cacheFn, type CacheFnOptions, type Told } from './cache-fn.js'
export { type CachedMap, cacheMap, type CacheMapOptions } from './cache-map.js'
export type { CacheControl } from './control.js'
export type { Scope, ScopeOrGlobal } from './scope.js'
export type { KeepingOptions, StreamOptions } from './options.js'
export { modelRules, plainRules, type StreamRules } from './stream/rules.js'
export type { Pace } from './stream/playback.js'

// Nodes and workflows
export {
  type BaseNode,
  defineNode,
  type DefineNodeOptions,
  type Interrupt,
  interrupt,
  type NodeContext,
  type NodeError,
  type NodeFailure,
  type NodeMetadata,
  type NodeResult,
  type NodeSuccess,
  route,
  type StepContext,
  type WorkflowContext,
} from './node.js'
export { runNode, type RunNodeOptions, type RunOptions } from './run-node.js'
export { createVariables, type Variables } from './variables.js'

export { pipe } from './workflow/pipe.js'
export {
  type NodeReport,
  type Snapshot,
  type Workflow,
  workflow,
  type WorkflowEvent,
  type WorkflowOptions,
  type WorkflowResult,
} from './workflow/workflow.js'
export type { Edge } from './workflow/graph.js'

// Ready-made
export { CacheNode, type ReadyCacheNodeOptions } from './ready/cache-node-class.js'
export { CacheAsideNode, type CacheAsideNodeOptions } from './ready/cache-aside-node.js'
export { CachedWorkflowNode, type CachedWorkflowNodeOptions } from './ready/cached-workflow-node.js'
export { type Backend, type CacheConfig, registerBackend } from './ready/backends.js'

// Observe
export type { CacheInfo, Status } from './cache-info.js'
export type { StepEvent } from './options.js'
export type { Cost, Price, Pricing } from './price.js'
export { Savings, type SavingsReport, type Spent } from './savings.js'

// Errors
export { NodeCacheError, type NodeErrorCode, UndeclaredReadError } from './errors.js'
