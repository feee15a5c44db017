import { type Asked, withInfo } from './cache-node.js'
import { checkFunction, checkFunctions, checkObject, checkText, wrong } from './checks.js'
import { checkControl } from './control.js'
import { chosen } from './fields.js'
import { copyOf, guard } from './guard.js'
import { keyFor } from './key.js'
import { accountFor } from './map/accounting.js'
import { Batch, BatchFailed } from './map/batch.js'
import { findItems, lookForItems } from './map/finding.js'
import type { KeptItem } from './map/kept-item.js'
import { mapSetupOf } from './map/map-setup.js'
import type { BaseNode, NodeContext, NodeError, NodeResult, WorkflowContext } from './node.js'
import { checkKeeping, type KeepingOptions } from './options.js'
import type { Cost } from './price.js'
import type { Savings, SavingsReport } from './savings.js'
import { checkScope, type ScopeOrGlobal } from './scope.js'
import { sourceOf, versionOf } from './version.js'

/** Options of {@link cacheMap}. */
export interface CacheMapOptions<I, Item, Out, O> extends Pick<KeepingOptions, Taken> {
  /** Whom an answer belongs to. Required. */
  readonly scope: ScopeOrGlobal | ((asked: Asked<I>) => ScopeOrGlobal)
  /** The items of an input, in order. */
  readonly items: (input: I) => readonly Item[]
  /** What of an item makes its key. Default: all of it. `undefined` is a `CacheKeyError`, `null` one key for all. */
  readonly keyOf?: ((item: Item) => unknown) | undefined
  /** The node's output, from one output for each item, in the items' order. */
  readonly assemble: (outputs: readonly Out[], input: I) => O
  /** As that of `cacheNode`. */
  readonly version?: string | undefined
  /** The workflow variables that the node reads. Default: none. */
  readonly reads?: readonly string[] | undefined
  /** Whether an item's output is worth keeping. Asked before it is written and after it was read. */
  readonly store?: ((output: Out) => boolean) | undefined
  /** What one call of the inner node took, beside time. Shared out evenly among its items. */
  readonly cost?: ((outputs: readonly Out[]) => Cost | undefined) | undefined
  /** Labels of an item's entry. They hold for all items that are computed together. Default: none. */
  readonly tags?: readonly string[] | undefined
}

/** The options of other cached steps that mean the same here. */
const taken = [
  'cache',
  'ttl',
  'stale',
  'staleIfError',
  'copy',
  'pricing',
  'codecs',
  'allowToJSON',
  'maxBytes',
  'keySecret',
  'savings',
  'onEvent',
  'clock',
] as const

type Taken = (typeof taken)[number]

const own = ['scope', 'items', 'keyOf', 'assemble', 'version', 'reads', 'store', 'cost', 'tags']

/** A node that remembers each item of its input. */
export interface CachedMap<I, O> extends BaseNode<I, O> {
  readonly savings: Savings
  report(): SavingsReport
}

/**
 * A node over a node that takes many items at once, such as one that embeds texts: each item is cached on its own, and
 * the inner node is called once, with the items that are missing, each of them once. It must answer with one output
 * for each. It may not write variables, and what it emits is heard live and not recorded.
 *
 * `metadata.cache.items` says how many of the items were there, and how many had to run.
 */
export function cacheMap<I, Item, Out, O>(
  node: BaseNode<readonly Item[], readonly Out[]>,
  options: CacheMapOptions<I, Item, Out, O>,
): CachedMap<I, O> {
  check(node, options as unknown as CacheMapOptions<unknown, unknown, unknown, unknown>)
  const { scope, items: itemsOf, keyOf: choose, assemble, reads = [] } = options
  const { id, type, config } = node
  const version = versionOf(node, options.version)
  const setup = mapSetupOf(id, options, options)
  const { clock, books } = setup
  const { savings } = books

  const ownerOf = (asked: Asked<I>): ScopeOrGlobal =>
    checkScope(typeof scope === 'function' ? scope(asked) : scope)
  const readOf = (workflow: WorkflowContext): Record<string, unknown> =>
    Object.fromEntries(reads.map((name) => [name, workflow.variables.get(name)]))
  const keysOf = (items: readonly Item[], owner: ScopeOrGlobal, workflow: WorkflowContext): string[] => {
    const read = readOf(workflow)
    const workflowId = workflow.workflowId
    const same = { workflow: workflowId, node: id, type, version, config, scope: owner, reads: read }
    return items.map((item) =>
      keyFor(
        { ...same, input: choose === undefined ? item : chosen(choose(item), 'keyOf') },
        options,
        workflow.cache?.namespace,
      ),
    )
  }
  /** What the inner node may see: others of the same scope are given what it makes of it. */
  const guarded = (
    workflow: WorkflowContext,
    owner: ScopeOrGlobal,
    signal: AbortSignal,
    seen: Readonly<Record<string, unknown>>,
  ): WorkflowContext => ({
    ...workflow,
    signal,
    scope: owner === 'global' ? undefined : owner,
    variables: guard(workflow.variables, {
      nodeId: id,
      reads,
      seen,
      undeclared: 'error',
      effects: 'forbid',
      warn: () => {},
    }).variables,
  })
  const plain = async (context: NodeContext<I>, workflow: WorkflowContext): Promise<NodeResult<O>> => {
    const began = clock.now()
    const result = await node.execute({ ...context, input: itemsOf(context.input) }, workflow)
    const ms = clock.now() - began
    savings.answered(id, 'bypass', { ms, ...books.cost(id, result, []) })
    if (!result.success) return result
    const output = assemble(result.output, context.input)
    return withInfo({ success: true, output }, { status: 'bypass', lookupMs: 0 }) as NodeResult<O>
  }

  return {
    id,
    type,
    version,
    config,
    source: sourceOf(node),
    savings,
    report: () => savings.report(id),
    async execute(context, workflow) {
      const began = clock.now()
      const control = checkControl(workflow.cache)
      if (control.mode === 'bypass') return plain(context, workflow)
      const { input } = context
      const items = itemsOf(input)
      const owner = ownerOf({ input, workflow })
      const keys = keysOf(items, owner, workflow)
      const seen = readOf(workflow)
      const byKey = new Map(keys.map((key, i) => [key, items[i]!]))
      const batch = new Batch(
        setup,
        byKey,
        async (missing, signal) =>
          node.execute(
            { ...context, input: missing as readonly Item[], signal },
            guarded(workflow, owner, signal, seen),
          ),
        (some) => keysOf(some as readonly Item[], owner, workflow),
      )
      const look = { setup, batch, control, signal: context.signal }
      let found: ReadonlyMap<string, KeptItem>
      try {
        found = await (control.mode === 'only-if-cached' ? lookForItems(look) : findItems(look))
      } catch (error) {
        if (error instanceof BatchFailed) return error.result
        throw error
      } finally {
        batch.end()
      }
      const missing = batch.keys.filter((key) => !found.has(key)).length
      if (missing > 0) return missFor(id, missing)
      const outputs = keys.map((key) => {
        const { output } = found.get(key)!
        return (options.copy === 'share' ? output : copyOf(output)) as Out
      })
      const info = accountFor({ setup, batch, found, began, control })
      return withInfo({ success: true, output: assemble(outputs, input) }, info) as NodeResult<O>
    },
  }
}

const missFor = (nodeId: string, count: number): NodeError => ({
  success: false,
  error: { message: `node '${nodeId}' has no cached answer for ${count} items`, code: 'CACHE_MISS' },
})

function check(node: BaseNode<never>, options: CacheMapOptions<unknown, unknown, unknown, unknown>): void {
  checkObject(node, 'node')
  checkText(node.id, "a node's id")
  checkFunction(node.execute, "a node's execute")
  checkKeeping(options as unknown as KeepingOptions, own, 'cacheMap', taken)
  checkFunction(options.items, 'items')
  checkFunction(options.assemble, 'assemble')
  checkFunctions(options, ['keyOf'])
  if (typeof options.scope !== 'function') checkScope(options.scope)
  for (const name of ['reads', 'tags'] as const)
    if (options[name] !== undefined && !Array.isArray(options[name]))
      wrong(name, 'an array of strings', options[name])
}
