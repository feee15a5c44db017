import { type LangGraphRunnableConfig, isGraphBubbleUp } from '@langchain/langgraph'
import { checkFunction, checkFunctions, checkText } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import { chosen } from '../fields.js'
import type { KeyParts } from '../key.js'
import { checkKeeping, type KeepingOptions } from '../options.js'
import { fromPlain, toPlain } from '../plain.js'
import type { Cost } from '../price.js'
import { Recall } from '../recall.js'
import type { Savings, SavingsReport } from '../savings.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { versionFor } from '../version.js'
import { kindOf } from '../stream/streams.js'
import { guardedConfig, isResumed, readsOf } from './guarded-config.js'
import { graphShapes } from './shapes.js'
import { yesOrNo } from '../yes-or-no.js'

/** Options of {@link cachedNode}. */
export interface CachedGraphNodeOptions<State, Update> extends Omit<
  KeepingOptions,
  'store' | 'cost' | 'stream'
> {
  /** Names the node in keys. Two nodes over one cache have two names, also in two graphs. */
  readonly name: string
  /** Whom an answer belongs to. Required: `'global'`, an object, or made of the config, such as its `configurable`. */
  readonly scope: ScopeOrGlobal | ((config: LangGraphRunnableConfig, state: State) => ScopeOrGlobal)
  /** What of the state makes the key. Default: all of it, ids of messages included; see `conversation`. */
  readonly key?: ((state: State) => unknown) | undefined
  /** Names in `config.configurable` and `config.context` that belong to the key. The node can read no others. */
  readonly reads?: readonly string[] | undefined
  /** Change it with the node's code. `'source'`: the text of `fn`. Default: `'0'`. */
  readonly version?: string | undefined
  readonly when?: ((state: State, config: LangGraphRunnableConfig) => boolean) | undefined
  /** How one call uses the cache, such as `{ mode: 'refresh' }` for a run whose config says so. */
  readonly control?: ((config: LangGraphRunnableConfig) => CacheControl | undefined) | undefined
  /** Whether an update is worth keeping. Asked before it is written and again after it was read. */
  readonly store?: ((update: Update) => boolean) | undefined
  readonly cost?: ((update: Update) => Cost | undefined) | undefined
  readonly tags?: ((update: Update, state: State) => readonly string[]) | undefined
}

/** A node of a graph, that remembers. */
export interface CachedGraphNode<State, Update> {
  (state: State, config: LangGraphRunnableConfig): Promise<Update>
  /** Removes the answer for this state and config; tells whether there was one. */
  invalidate(state: State, config?: LangGraphRunnableConfig): Promise<boolean>
  readonly savings: Savings
  report(): SavingsReport
}

/** What a run answers with: plain data, or what cannot be written as such and is not stored. */
type Written = { readonly plain: unknown } | { readonly raw: unknown }

/**
 * A node for `addNode`, cached: callers who ask for the same at once share one run, also from different graphs and
 * threads. What it writes to `config.writer` is told again on a hit, and a `Command` routes as it did. Interrupts are
 * not stored, and a node that is resumed after one runs uncached. What the node throws is thrown as it is.
 */
export function cachedNode<State, Update>(
  fn: (state: State, config: LangGraphRunnableConfig) => Update | PromiseLike<Update>,
  options: CachedGraphNodeOptions<State, Update>,
): CachedGraphNode<State, Update> {
  checkFunction(fn, 'fn')
  const own = ['name', 'scope', 'key', 'reads', 'version', 'when', 'control', 'tags']
  checkKeeping(options as unknown as KeepingOptions, own, 'cachedNode')
  checkFunctions(options, ['key', 'when', 'control', 'tags'])
  checkText(options.name, 'name')
  const { name, scope, key, reads = [], version, when, control, store, cost, tags } = options
  if (typeof scope !== 'function') checkScope(scope)
  const recall = new Recall({
    ...options,
    store: store && ((result) => result.success && store(read<Update>(result.output))),
    cost: cost && ((result) => (result.success ? cost(read<Update>(result.output)) : undefined)),
  })
  const made = versionFor(fn, version)
  const partsOf = (state: State, config: LangGraphRunnableConfig): KeyParts => ({
    node: name,
    type: 'langgraph',
    version: made,
    config: undefined,
    scope: checkScope(typeof scope === 'function' ? scope(config, state) : scope),
    input: toPlain(key === undefined ? state : chosen(key(state)), graphShapes),
    reads: toPlain(readsOf(config, reads), graphShapes) as Record<string, unknown>,
  })
  const ask = async (state: State, config: LangGraphRunnableConfig = {}): Promise<Update> => {
    let ran = false
    const run = async (signal: AbortSignal, emit: (chunk: unknown) => void): Promise<Update> => {
      ran = true
      return fn(state, { ...guardedConfig(config, name, reads), signal, writer: emit })
    }
    const emit = (chunk: unknown): void => config.writer?.(chunk)
    try {
      const { result } = await recall.answer({
        nodeId: name,
        parts: () => partsOf(state, config),
        wanted: !isResumed(config) && (when === undefined || yesOrNo(when(state, config), 'when')),
        control: checkControl(control?.(config)),
        signal: config.signal,
        tags: tags && ((kept) => (kept.success ? tags(read<Update>(kept.output), state) : [])),
        run: async (task) => ({
          result: { success: true, output: written(await run(task.signal, task.emit)) },
          effects: [],
        }),
        runPlain: async (task) => {
          ran = true
          return { success: true, output: { raw: await fn(state, { ...config, signal: task.signal }) } }
        },
        emit,
      })
      if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
      return read<Update>(result.output)
    } catch (error) {
      // An interrupt belongs to the thread that ran into it: whoever shared that run asks for itself.
      if (ran || !isGraphBubbleUp(error)) throw error
      return fn(state, config)
    }
  }
  return Object.assign(ask, {
    invalidate: async (state: State, config: LangGraphRunnableConfig = {}): Promise<boolean> =>
      options.cache.delete(recall.keyFor(partsOf(state, config), control?.(config) ?? {})),
    savings: recall.savings,
    report: (): SavingsReport => recall.savings.report(name),
  })
}

function written(update: unknown): Written {
  if (kindOf(update) !== undefined)
    throw new NodeCacheError('ERR_STREAM', 'a cached node of a graph answered with a stream; give its whole')
  try {
    return { plain: toPlain(update, graphShapes) }
  } catch {
    // Not stored: the cache finds what it cannot copy, and says so.
    return { raw: update }
  }
}

function read<Update>(output: unknown): Update {
  const of = output as Written
  return ('plain' in of ? fromPlain(of.plain, graphShapes) : of.raw) as Update
}
