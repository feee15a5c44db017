import { CacheError, cloneOf, doNotCache, systemClock } from '@flow-cache/core'
import type { Status } from './answer.js'
import { withInfo, versionOf, type Asked } from './cache-node.js'
import { checkFunction, checkObject } from './checks.js'
import { checkControl } from './control.js'
import { NodeCacheError } from './errors.js'
import { copyOf, guard } from './guard.js'
import { keyFor } from './key.js'
import type { BaseNode, NodeError, NodeResult } from './node.js'
import { checkKeeping, type KeepingOptions } from './options.js'
import { Savings, type SavingsReport } from './savings.js'
import { checkScope, type ScopeOrGlobal } from './scope.js'

/** Options of {@link cacheMap}. */
export interface CacheMapOptions<I, Item, Out, O> extends Pick<
  KeepingOptions,
  | 'cache'
  | 'ttl'
  | 'copy'
  | 'codecs'
  | 'allowToJSON'
  | 'maxBytes'
  | 'keySecret'
  | 'savings'
  | 'onEvent'
  | 'clock'
> {
  /** Whom an answer belongs to. Required. */
  readonly scope: ScopeOrGlobal | ((asked: Asked<I>) => ScopeOrGlobal)
  /** The items of an input, in order. */
  readonly items: (input: I) => readonly Item[]
  /** What of an item makes its key. Default: all of it. */
  readonly keyOf?: ((item: Item) => unknown) | undefined
  /** The node's output, from one output for each item, in the items' order. */
  readonly assemble: (outputs: readonly Out[], input: I) => O
  readonly version?: string | undefined
  /** The workflow variables that the node reads. Default: none. */
  readonly reads?: readonly string[] | undefined
  /** Whether an item's output is worth keeping. Asked before it is written and after it was read. */
  readonly store?: ((output: Out) => boolean) | undefined
  /** Labels of an item's entry. They hold for all items that are computed together. Default: none. */
  readonly tags?: readonly string[] | undefined
}

interface KeptItem {
  readonly format: 1
  readonly key: string
  readonly output: unknown
  readonly ms: number
}

/** The inner node failed. */
class Failed extends Error {
  readonly result: NodeError
  constructor(result: NodeError) {
    super(result.error.message)
    this.result = result
  }
}

/** A node that remembers each item of its input. */
export interface CachedMap<I, O> extends BaseNode<I, O> {
  readonly savings: Savings
  report(): SavingsReport
}

const own = ['scope', 'items', 'keyOf', 'assemble', 'version', 'reads', 'tags']

/**
 * A node over a node that takes many items at once, such as one that embeds texts: each item is cached on its own, and
 * the inner node is called once, with the items that are missing, each of them once. It must answer with one output
 * for each. It may not write variables.
 */
export function cacheMap<I, Item, Out, O>(
  node: BaseNode<readonly Item[], readonly Out[]>,
  options: CacheMapOptions<I, Item, Out, O>,
): CachedMap<I, O> {
  checkObject(node, 'node')
  checkFunction(node.execute, "a node's execute")
  checkKeeping(options as unknown as KeepingOptions, own, 'cacheMap')
  checkFunction(options.items, 'items')
  checkFunction(options.assemble, 'assemble')
  const {
    cache,
    scope,
    items: itemsOf,
    keyOf: choose,
    assemble,
    reads = [],
    store,
    tags,
    ttl,
    copy,
  } = options
  if (typeof scope !== 'function') checkScope(scope)
  const { clock = systemClock, savings = new Savings() } = options
  const version = versionOf(node, options.version)

  const tell = (during: string, error: unknown): void => {
    savings.failed(node.id)
    try {
      options.onEvent?.({ type: 'error', nodeId: node.id, during, error })
    } catch {
      // Nobody is left to tell.
    }
  }
  const isGood = (kept: unknown, key: string): kept is KeptItem => {
    const item = kept as KeptItem | null | undefined
    if (item?.format !== 1 || item.key !== key || typeof item.ms !== 'number') return false
    try {
      return store === undefined || store(item.output as Out)
    } catch {
      return false
    }
  }

  return {
    id: node.id,
    type: node.type,
    version,
    config: node.config,
    savings,
    report: () => savings.report(node.id),
    async execute(context, workflow): Promise<NodeResult<O>> {
      const began = clock.now()
      const control = checkControl(workflow.cache)
      const { input } = context
      const asked = { input, workflow }
      const owner = checkScope(typeof scope === 'function' ? scope(asked) : scope)
      const read = Object.fromEntries(reads.map((name) => [name, workflow.variables.get(name)]))
      const items = itemsOf(input)
      const keys = items.map((item) =>
        keyFor(
          {
            node: node.id,
            type: node.type,
            version,
            config: node.config,
            scope: owner,
            input: choose === undefined ? item : choose(item),
            reads: read,
          },
          options,
          control.namespace,
        ),
      )
      const byKey = new Map(keys.map((key, i) => [key, items[i]!]))
      const computed = new Map<string, KeptItem>()
      let spentMs = 0

      const compute = async (missing: readonly string[], signal: AbortSignal): Promise<void> => {
        if (missing.length === 0) return
        const start = clock.now()
        const guarded = guard(workflow.variables, {
          nodeId: node.id,
          reads,
          undeclared: 'error',
          effects: 'forbid',
          warn: () => {},
        })
        const result = await node.execute(
          { ...context, input: missing.map((key) => byKey.get(key)!), signal },
          {
            ...workflow,
            variables: guarded.variables,
            signal,
            scope: owner === 'global' ? undefined : owner,
          },
        )
        const ms = clock.now() - start
        spentMs += ms
        if (!result.success) throw new Failed(result)
        if (!Array.isArray(result.output) || result.output.length !== missing.length)
          throw new NodeCacheError(
            'ERR_RESULT',
            `node '${node.id}' must answer with one output for each of ${missing.length} items`,
          )
        missing.forEach((key, i) =>
          computed.set(key, { format: 1, key, output: result.output[i], ms: ms / missing.length }),
        )
      }
      const load = async (missing: readonly string[], { signal }: { signal: AbortSignal }) => {
        await compute(missing, signal)
        return missing.map((key) => {
          const kept = computed.get(key)!
          if (!isGood(kept, key)) return doNotCache<unknown>(kept)
          try {
            return copy === 'share' ? kept : cloneOf(kept)
          } catch (error) {
            tell('keep', error)
            return doNotCache<unknown>(kept)
          }
        })
      }

      const found = new Map<string, KeptItem>()
      const unique = [...byKey.keys()]
      try {
        if (control.mode === 'bypass') await compute(unique, context.signal)
        else if (control.mode === 'only-if-cached') {
          const there = await cache.getMany(unique)
          for (const [key, kept] of there) if (isGood(kept, key)) found.set(key, kept)
          if (found.size < unique.length) return miss(node.id, unique.length - found.size)
        } else {
          const there = await cache.getOrSetMany<unknown>(unique, load, {
            signal: context.signal,
            copy: 'share',
            ...((control.ttl ?? ttl) !== undefined && { ttl: control.ttl ?? ttl }),
            ...(tags !== undefined && { tags }),
            ...(control.mode === 'refresh' && { forceRefresh: true }),
            ...(control.mode === 'no-store' && { skip: 'write' as const }),
          })
          const bad: string[] = []
          for (const [key, kept] of there) {
            if (computed.has(key)) continue
            if (isGood(kept, key)) found.set(key, kept)
            else bad.push(key)
          }
          if (bad.length > 0) {
            await cache.deleteMany(bad)
            await compute(bad, context.signal)
          }
        }
      } catch (error) {
        context.signal.throwIfAborted()
        if (error instanceof Failed) return error.result
        if (!(error instanceof CacheError)) throw error
        tell('load', error)
        try {
          await compute(
            unique.filter((key) => !computed.has(key) && !found.has(key)),
            context.signal,
          )
        } catch (error) {
          if (error instanceof Failed) return error.result
          throw error
        }
      }
      const outputs = keys.map((key) => {
        const { output } = (computed.get(key) ?? found.get(key))!
        return (copy === 'share' ? output : copyOf(output)) as Out
      })
      const overhead = Math.max(0, clock.now() - began - spentMs)
      let foundMs = 0
      for (const [key, { ms }] of found) {
        if (computed.has(key)) continue
        savings.answered(node.id, 'hit', { ms, tokens: 0, usd: 0 })
        foundMs += ms
      }
      for (const { ms } of computed.values()) savings.answered(node.id, 'miss', { ms, tokens: 0, usd: 0 })
      savings.overhead(node.id, overhead)
      const status: Status = control.mode === 'bypass' ? 'bypass' : computed.size === 0 ? 'hit' : 'miss'
      const result: NodeResult = { success: true, output: assemble(outputs, input) }
      const counted = { hits: unique.length - computed.size, misses: computed.size }
      const info = { status, lookupMs: overhead, items: counted }
      return withInfo(
        result,
        foundMs === 0 ? info : { ...info, savedMs: foundMs - overhead },
      ) as NodeResult<O>
    },
  }
}

const miss = (nodeId: string, count: number): NodeError => ({
  success: false,
  error: { message: `node '${nodeId}' has no cached answer for ${count} items`, code: 'CACHE_MISS' },
})
