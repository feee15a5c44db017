import type { Explanation } from '@flow-cache/core'
import type { CacheInfo } from './cache-info.js'
import { checkFunction, checkFunctions, checkObject, checkOneOf, checkText, wrong } from './checks.js'
import { checkControl, type CacheControl } from './control.js'
import { checkFields, chosen, type Fields, fieldsOf } from './fields.js'
import { guard, replay } from './guard.js'
import { digestsOf, type Digests, type KeyParts } from './key.js'
import type { BaseNode, NodeResult, WorkflowContext } from './node.js'
import { checkKeeping, type KeepingOptions } from './options.js'
import { Recall } from './recall.js'
import type { Savings, SavingsReport } from './savings.js'
import { checkScope, type Scope, type ScopeOrGlobal } from './scope.js'
import { createVariables } from './variables.js'
import { sourceOf, versionOf } from './version.js'
import { yesOrNo } from './yes-or-no.js'

/** What functions in the options of a node are given. */
export interface Asked<I = unknown> {
  readonly input: I
  readonly workflow: WorkflowContext
}

/** Options of {@link cacheNode}. */
export interface CacheNodeOptions<I = unknown, O = unknown> extends Omit<KeepingOptions, 'store' | 'cost'> {
  /**
   * Whom an answer belongs to. Required, so that nobody shares answers by accident: `'global'`, an object, or a
   * function of the call. A function may not answer with parts that are missing.
   */
  readonly scope: ScopeOrGlobal | ((asked: Asked<I>) => ScopeOrGlobal)
  /**
   * What of the input makes the key. Default: all of it.
   *
   * - `{ pick }`: these fields, as a reader sees them, getters of a class included. One that a plain object lacks is
   *   `undefined`; a pick that finds nothing, or that names what an instance of a class lacks, is a `CacheKeyError`.
   * - `{ omit }`: all fields but these, of a plain object. Anything else, a `Map` or a `Request`, is a `CacheKeyError`.
   * - A function: what it answers. `undefined` is a `CacheKeyError`, `null` one key for all.
   */
  readonly key?: Fields | ((asked: Asked<I>) => unknown) | undefined
  /** The workflow variables that the node reads; their values belong to the key. Default: none. */
  readonly reads?: readonly string[] | undefined
  /** Replaces the node's own. `'source'`: the text of its function, and of nothing it calls. Default: the node's, or `'0'`. */
  readonly version?: string | undefined
  /** Whether the cache has a part in this call at all. Default: always. */
  readonly when?: ((asked: Asked<I>) => boolean) | undefined
  /** Whether a result is worth keeping. Asked before it is written and again after it was read. */
  readonly store?: ((result: NodeResult<O>) => boolean) | undefined
  readonly cost?:
    | ((result: NodeResult<O>, chunks: readonly unknown[]) => ReturnType<NonNullable<KeepingOptions['cost']>>)
    | undefined
  /** What becomes of variables that the node writes: written again on a hit (default), or an error. */
  readonly effects?: 'record' | 'forbid' | undefined
  /** What becomes of reading a variable that is not in `reads`. Default: `'error'`. */
  readonly undeclaredReads?: 'error' | 'warn' | 'allow' | undefined
  /** Labels by which answers are invalidated, also from what the result says. */
  readonly tags?:
    | readonly string[]
    | ((asked: Asked<I> & { readonly result: NodeResult<O> }) => readonly string[])
    | undefined
}

/** What is known of a call before it is made. */
export interface NodeExplanation {
  readonly key: string
  /** A digest of each part of the key: compare two calls to see what differs. */
  readonly parts: Digests
  /** What the cache knows of the key. */
  readonly entry: Explanation
}

/** What stands for a workflow where only some of it matters. */
export interface CallContext {
  /** The workflow it runs in. Default: none, as for `runNode`. */
  readonly workflowId?: string | undefined
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  readonly scope?: Scope | undefined
  readonly cache?: CacheControl | undefined
}

/** A node that remembers. */
export interface CachedNode<I = unknown, O = unknown> extends BaseNode<I, O> {
  /** The node that runs on a miss. */
  readonly inner: BaseNode<I, O>
  /** Where its savings are counted. */
  readonly savings: Savings
  /** What caching this node has saved. */
  report(): SavingsReport
  /** What a call with this input would ask the cache for. */
  explain(input: I, context?: CallContext): Promise<NodeExplanation>
  /** Removes the answer for this input; tells whether there was one. */
  invalidate(input: I, context?: CallContext): Promise<boolean>
}

const own = ['scope', 'key', 'reads', 'version', 'when', 'effects', 'undeclaredReads', 'tags']

/**
 * The node, cached: a node of the same id and types whose hit cannot be told from a run, its route, the variables it
 * wrote, what it emitted and its stream included, except by `metadata.cache`.
 *
 * Callers who ask for the same share one run, and its failure. Failures, interrupts and broken streams are not kept.
 * A failing cache never fails the node. An answer belongs to its workflow: one of another id does not get it.
 */
export function cacheNode<I, O>(node: BaseNode<I, O>, options: CacheNodeOptions<I, O>): CachedNode<I, O> {
  check(node, options as CacheNodeOptions)
  const { scope, key, reads = [], when, tags, effects = 'record', undeclaredReads = 'error' } = options
  const version = versionOf(node, options.version)
  const recall = new Recall(options as unknown as KeepingOptions)

  const scopeOf = (asked: Asked<I>): ScopeOrGlobal =>
    checkScope(typeof scope === 'function' ? scope(asked) : scope)
  const partsOf = (asked: Asked<I>): KeyParts => ({
    workflow: asked.workflow.workflowId,
    node: node.id,
    type: node.type,
    version,
    config: node.config,
    scope: scopeOf(asked),
    input:
      key === undefined
        ? asked.input
        : typeof key === 'function'
          ? chosen(key(asked))
          : fieldsOf(asked.input, key),
    reads: Object.fromEntries(reads.map((name) => [name, asked.workflow.variables.get(name)])),
  })
  const tagsOf = (asked: Asked<I>) => (result: NodeResult) =>
    typeof tags === 'function' ? tags({ ...asked, result: result as NodeResult<O> }) : (tags ?? [])

  return {
    id: node.id,
    type: node.type,
    version,
    source: sourceOf(node),
    config: node.config,
    inner: node,
    savings: recall.savings,
    report: () => recall.savings.report(node.id),
    async execute(context, workflow) {
      const asked: Asked<I> = { input: context.input, workflow }
      const wanted = when === undefined || yesOrNo(when(asked), 'when')
      /** What the key was made of. */
      let made: KeyParts | undefined
      const answer = await recall.answer({
        nodeId: node.id,
        parts() {
          const parts = partsOf(asked)
          made ??= parts
          return parts
        },
        wanted,
        control: checkControl(workflow.cache),
        signal: context.signal,
        tags: tags === undefined ? undefined : tagsOf(asked),
        emit: (chunk) => context.emit(chunk),
        async run({ signal, emit }) {
          const guarded = guard(workflow.variables, {
            nodeId: node.id,
            reads,
            seen: made?.reads,
            undeclared: undeclaredReads,
            effects,
            warn: (variable) => recall.tell({ type: 'undeclared-read', nodeId: node.id, variable }),
          })
          // It may be shared with others of the same scope: what sets this run apart from theirs is kept from it.
          const mine = made?.scope ?? scopeOf(asked)
          const result = await node.execute(
            { ...context, signal, emit },
            {
              ...workflow,
              variables: guarded.variables,
              signal,
              scope: mine === 'global' ? undefined : mine,
            },
          )
          return { result, effects: guarded.effects }
        },
        runPlain: async ({ signal, emit }) => node.execute({ ...context, signal, emit }, workflow),
      })
      replay(answer.effects, workflow.variables)
      return withInfo(answer.result, answer.info) as NodeResult<O>
    },
    async explain(input, context = {}) {
      const asked = { input, workflow: workflowOf(node.id, context) }
      const parts = partsOf(asked)
      const found = recall.keyFor(parts, checkControl(context.cache))
      return { key: found, parts: digestsOf(parts, options), entry: await options.cache.explain(found) }
    },
    async invalidate(input, context = {}) {
      const asked = { input, workflow: workflowOf(node.id, context) }
      return options.cache.delete(recall.keyFor(partsOf(asked), checkControl(context.cache)))
    },
  }
}

/** The result, saying how it was come by. */
export function withInfo(result: NodeResult, info: CacheInfo): NodeResult {
  return { ...result, metadata: { ...result.metadata, cache: info } }
}

function workflowOf(nodeId: string, context: CallContext): WorkflowContext {
  return {
    runId: '',
    workflowId: context.workflowId ?? nodeId,
    variables: createVariables(context.variables),
    scope: context.scope,
    signal: new AbortController().signal,
    cache: context.cache,
  }
}

function check(node: BaseNode, options: CacheNodeOptions): void {
  checkObject(node, 'node')
  checkText(node.id, "a node's id")
  checkFunction(node.execute, "a node's execute")
  checkKeeping(options, own, 'cacheNode')
  if (typeof options.scope !== 'function') checkScope(options.scope)
  const { key, reads, tags } = options
  if (key !== undefined && typeof key !== 'function') checkFields(key)
  if (reads !== undefined && !Array.isArray(reads)) wrong('reads', 'an array of names', reads)
  if (tags !== undefined && typeof tags !== 'function' && !Array.isArray(tags))
    wrong('tags', 'an array or a function', tags)
  checkFunctions(options, ['when'])
  checkOneOf(options.effects, ['record', 'forbid'], 'effects')
  checkOneOf(options.undeclaredReads, ['error', 'warn', 'allow'], 'undeclaredReads')
}
