import type { Cache, CacheStats } from '@flow-cache/core'
import { cacheNode, type CachedNode, type CacheNodeOptions } from '../cache-node.js'
import { checkFunction, checkObject, checkText } from '../checks.js'
import type { BaseNode, NodeContext, NodeResult, WorkflowContext } from '../node.js'
import { Savings, type SavingsReport } from '../savings.js'
import { type CacheConfig, openBackend } from './backends.js'

/** What {@link CachedWorkflowNode} takes: the options of `cacheNode`, and which cache to make. */
export interface CachedWorkflowNodeOptions<I = unknown, O = unknown> extends Omit<
  CacheNodeOptions<I, O>,
  'cache' | 'key'
> {
  readonly node: BaseNode<I, O>
  readonly cacheConfig: CacheConfig
  /** What of a call makes the key. Default: the whole input. */
  readonly keyGenerator?: ((input: I, workflow: WorkflowContext) => unknown) | undefined
}

/** A node with a cache made by its type, at the first call. Close it when you are done. */
export class CachedWorkflowNode<I = unknown, O = unknown> implements BaseNode<I, O> {
  readonly id: string
  readonly type: string | undefined
  readonly version: string | undefined
  readonly config: unknown
  readonly #options: CachedWorkflowNodeOptions<I, O>
  readonly #savings: Savings
  #opening: Promise<{ readonly cache: Cache; readonly node: CachedNode<I, O> }> | undefined
  #cache: Cache | undefined

  constructor(options: CachedWorkflowNodeOptions<I, O>) {
    checkObject(options, "CachedWorkflowNode's options")
    checkObject(options.node, 'node')
    checkObject(options.cacheConfig, 'cacheConfig')
    checkText(options.cacheConfig.type, 'cacheConfig.type')
    if (options.scope === undefined)
      throw new TypeError(
        "scope is required: an object, a function, or 'global' where everybody may share answers",
      )
    if (options.keyGenerator !== undefined) checkFunction(options.keyGenerator, 'keyGenerator')
    this.#options = options
    this.#savings = options.savings ?? new Savings()
    ;({ id: this.id, type: this.type, version: this.version, config: this.config } = options.node)
  }

  /** As the node, cached. A backend that is not installed is an `ERR_BACKEND`. */
  async execute(context: NodeContext<I>, workflow: WorkflowContext): Promise<NodeResult<O>> {
    const { node } = await this.#open()
    return node.execute(context, workflow)
  }

  /** What the cache counted, and what it saved. `undefined` for the cache before the first call. */
  getCacheStats(): { readonly cache: CacheStats | undefined; readonly savings: SavingsReport } {
    return { cache: this.#cache?.stats(), savings: this.#savings.report(this.id) }
  }

  /** Removes all answers. */
  async clearCache(): Promise<void> {
    await (await this.#open()).cache.clear()
  }

  async close(): Promise<void> {
    await (await this.#opening)?.cache.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<{ readonly cache: Cache; readonly node: CachedNode<I, O> }> {
    this.#opening ??= this.#make()
    try {
      return await this.#opening
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #make(): Promise<{ readonly cache: Cache; readonly node: CachedNode<I, O> }> {
    const { node, cacheConfig, keyGenerator, ...rest } = this.#options
    const cache = await openBackend(cacheConfig)
    this.#cache = cache
    return {
      cache,
      node: cacheNode(node, {
        ...rest,
        cache,
        savings: this.#savings,
        ...(keyGenerator !== undefined && { key: ({ input, workflow }) => keyGenerator(input, workflow) }),
      }),
    }
  }
}
