import type { CacheInfo } from './cache-info.js'
import type { CacheControl } from './control.js'
import { checkFunction, checkText } from './checks.js'
import type { Scope } from './scope.js'
import type { Variables } from './variables.js'

/** One step of a workflow: takes an input, answers with a result. Structural: anything of this shape is a node. */
export interface BaseNode<I = unknown, O = unknown> {
  /** Names it, in workflows and in cache keys. */
  readonly id: string
  /** What kind of node it is. Part of the cache key. */
  readonly type?: string | undefined
  /** Change it with the code. Part of the cache key. `'source'`: the text of the code. Default: `'0'`. */
  readonly version?: string | undefined
  /** What it was set up with: a model's name, a prompt. Part of the cache key, so it must have a canonical form. */
  readonly config?: unknown
  /** The text of its code, for `version: 'source'`. Default: the text of `execute`. */
  readonly source?: string | undefined
  /** Runs it. A failure is a result with `success: false`, or whatever it throws. */
  execute(node: NodeContext<I>, workflow: WorkflowContext): Promise<NodeResult<O>>
}

/** What a node is given for one execution. */
export interface NodeContext<I = unknown> {
  readonly nodeId: string
  readonly input: I
  /** Counts from 1. */
  readonly attempt: number
  /** Aborts when nobody wants the result any more. */
  readonly signal: AbortSignal
  /** Tells whoever listens of a part of the output. Recorded by `cacheNode`, and told again on a hit. */
  emit(chunk: unknown): void
}

/** The run a node is part of. */
export interface WorkflowContext {
  readonly runId: string
  /** Names the workflow. Part of the cache key. */
  readonly workflowId: string
  readonly variables: Variables
  /** Whom the run is for. */
  readonly scope?: Scope | undefined
  readonly signal: AbortSignal
  /** How this run uses caches. */
  readonly cache?: CacheControl | undefined
}

/** Why a node stopped the workflow, to be resumed later. Never cached. */
export interface Interrupt {
  readonly reason: string
  readonly data?: unknown
}

/** Why a node failed. */
export interface NodeFailure {
  readonly message: string
  readonly code?: string | undefined
  readonly retryable?: boolean | undefined
  readonly cause?: unknown
}

/** What a result says of itself. */
export interface NodeMetadata extends Readonly<Record<string, unknown>> {
  /** How a cached node came by the result. */
  readonly cache?: CacheInfo | undefined
}

/** What a node answers with when it worked. */
export interface NodeSuccess<O = unknown> {
  readonly success: true
  readonly output: O
  /** The node to go to, in place of what the workflow's edges say. */
  readonly next?: string | undefined
  readonly interrupt?: Interrupt | undefined
  /** Anything else; `metadata.cache` is written by `cacheNode`. */
  readonly metadata?: NodeMetadata | undefined
}

/** What a node answers with when it did not. */
export interface NodeError {
  readonly success: false
  readonly error: NodeFailure
  readonly metadata?: NodeMetadata | undefined
}

/** What a node answers with. Falsy outputs are outputs like any other. */
export type NodeResult<O = unknown> = NodeSuccess<O> | NodeError

/** Options of {@link defineNode}. */
export interface DefineNodeOptions {
  readonly type?: string | undefined
  readonly version?: string | undefined
  readonly config?: unknown
}

/** What a function of {@link defineNode} is given beside its input. */
export interface StepContext extends NodeContext {
  readonly workflow: WorkflowContext
}

/** A result that says where to go on: `return route('approve', draft)`. */
export function route<O>(next: string, output: O): NodeSuccess<O> {
  return mark({ success: true, output, next })
}

/** A result that stops the workflow until it is resumed with an answer. */
export function interrupt<O = undefined>(reason: string, data?: unknown, output?: O): NodeSuccess<O> {
  return mark({ success: true, output: output as O, interrupt: { reason, data } })
}

/** Results made by `route` and `interrupt`, told apart from outputs that look like one. */
const results = new WeakSet<object>()

function mark<R extends object>(result: R): R {
  results.add(result)
  return result
}

/**
 * A node made of a function. What it returns is the output, or what {@link route} or {@link interrupt} made. What it
 * throws is thrown by `execute`. The id is required: keys are made of it.
 */
export function defineNode<I, O>(
  id: string,
  fn: (input: I, context: StepContext) => O | NodeSuccess<O> | PromiseLike<O | NodeSuccess<O>>,
  options: DefineNodeOptions = {},
): BaseNode<I, O> {
  checkText(id, "a node's id")
  checkFunction(fn, `the function of node '${id}'`)
  return {
    id,
    ...options,
    source: Function.prototype.toString.call(fn),
    async execute(node, workflow) {
      const answer: unknown = await fn(node.input, { ...node, workflow })
      if (typeof answer === 'object' && answer !== null && results.has(answer))
        return answer as NodeSuccess<O>
      return { success: true, output: answer as O }
    },
  }
}
