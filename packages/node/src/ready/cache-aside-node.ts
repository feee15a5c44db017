import { cacheNode, type CachedNode, type CacheNodeOptions, type CallContext } from '../cache-node.js'
import { checkFunction, checkObject, checkText } from '../checks.js'
import {
  type BaseNode,
  defineNode,
  type NodeContext,
  type NodeResult,
  type WorkflowContext,
} from '../node.js'
import { versionFor } from '../version.js'

/** What {@link CacheAsideNode} takes. */
export interface CacheAsideNodeOptions<K = unknown, V = unknown> extends CacheNodeOptions<K, V> {
  readonly id: string
  /** Where the truth is. `write` and `delete` make the node's own possible. */
  readonly origin: {
    read(key: K, context: { readonly signal: AbortSignal }): V | Promise<V>
    write?(key: K, value: V): Promise<void>
    delete?(key: K): Promise<void>
  }
}

/** A node that answers with what an origin has under its input: from the cache, or read and kept. */
export class CacheAsideNode<K = unknown, V = unknown> implements BaseNode<K, V> {
  readonly id: string
  readonly #node: CachedNode<K, V>
  readonly #origin: CacheAsideNodeOptions<K, V>['origin']

  constructor(options: CacheAsideNodeOptions<K, V>) {
    checkObject(options, "CacheAsideNode's options")
    const { id, origin, ...rest } = options
    checkText(id, 'id')
    checkObject(origin, 'origin')
    checkFunction(origin.read, 'origin.read')
    this.id = id
    this.#origin = origin
    const read = async (key: K, { signal }: { readonly signal: AbortSignal }): Promise<V> =>
      origin.read(key, { signal })
    this.#node = cacheNode(defineNode<K, V>(id, read), {
      ...rest,
      version: versionFor(origin.read as () => unknown, rest.version),
    })
  }

  async execute(context: NodeContext<K>, workflow: WorkflowContext): Promise<NodeResult<V>> {
    // What the origin has is the same in every workflow: a write ends the answer for all of them.
    return this.#node.execute(context, { ...workflow, workflowId: this.id })
  }

  /** Writes to the origin, and removes the answer. If the origin refuses, its error, and nothing is removed. */
  async write(key: K, value: V, context?: CallContext): Promise<void> {
    if (this.#origin.write === undefined) throw new TypeError('origin.write is missing')
    await this.#origin.write(key, value)
    await this.invalidate(key, context)
  }

  /** Deletes in the origin, and removes the answer. */
  async delete(key: K, context?: CallContext): Promise<void> {
    if (this.#origin.delete === undefined) throw new TypeError('origin.delete is missing')
    await this.#origin.delete(key)
    await this.invalidate(key, context)
  }

  /** Removes the answer; tells whether there was one. */
  async invalidate(key: K, context?: CallContext): Promise<boolean> {
    return this.#node.invalidate(key, { ...context, workflowId: this.id })
  }
}
