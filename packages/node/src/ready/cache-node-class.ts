import { CachedWorkflowNode, type CachedWorkflowNodeOptions } from './cached-workflow-node.js'

/** What {@link CacheNode} takes. */
export interface ReadyCacheNodeOptions<I = unknown, O = unknown> extends Omit<
  CachedWorkflowNodeOptions<I, O>,
  'cacheConfig' | 'keyGenerator'
> {
  /** What of the input makes the key. Default: all of it. */
  readonly cacheKeyFn?: ((input: I) => unknown) | undefined
  /** How many answers are kept. Default: 1,000. */
  readonly maxEntries?: number | undefined
}

/** A node with a cache of its own in this process's memory. Needs `@flow-cache/memory`. */
export class CacheNode<I = unknown, O = unknown> extends CachedWorkflowNode<I, O> {
  constructor(options: ReadyCacheNodeOptions<I, O>) {
    const { cacheKeyFn, maxEntries = 1_000, ...rest } = options
    super({
      ...rest,
      cacheConfig: { type: 'memory', params: { maxEntries } },
      ...(cacheKeyFn !== undefined && { keyGenerator: (input: I) => cacheKeyFn(input) }),
    })
  }
}
