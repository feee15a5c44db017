import { randomId } from '@flow-cache/core'
import { checkControl, type CacheControl } from './control.js'
import type { BaseNode, NodeResult } from './node.js'
import { checkScope, type Scope } from './scope.js'
import { createVariables, type Variables } from './variables.js'

/** What a run is given. */
export interface RunOptions {
  /** What its nodes may read, by name. Written to a copy. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  /** Whom it is for. */
  readonly scope?: Scope | undefined
  readonly signal?: AbortSignal | undefined
  /** How it uses caches. */
  readonly cache?: CacheControl | undefined
}

/** Options of {@link runNode}. */
export interface RunNodeOptions extends Omit<RunOptions, 'variables'> {
  /** Values by name, or variables of yours that are written to. */
  readonly variables?: Readonly<Record<string, unknown>> | Variables | undefined
  /** Gets what the node emits. */
  readonly onChunk?: ((chunk: unknown) => void) | undefined
}

/** Runs one node outside of a workflow. What it throws becomes a failed result, with the error as its `cause`. */
export async function runNode<I, O>(
  node: BaseNode<I, O>,
  input: I,
  options: RunNodeOptions = {},
): Promise<NodeResult<O>> {
  // One each: thousands that listen to one signal would be taken for a leak.
  const { variables, scope, signal = new AbortController().signal, onChunk } = options
  if (scope !== undefined) checkScope(scope)
  const cache = checkControl(options.cache)
  try {
    return await node.execute(
      { nodeId: node.id, input, attempt: 1, signal, emit: (chunk) => onChunk?.(chunk) },
      {
        runId: randomId(),
        workflowId: node.id,
        variables: isVariables(variables) ? variables : createVariables(variables),
        scope,
        signal,
        cache,
      },
    )
  } catch (error) {
    return failureOf(error)
  }
}

/** What an error says, whatever was thrown. */
function messageOf(error: unknown): string {
  const message: unknown = (error as { message?: unknown } | null | undefined)?.message
  if (typeof message === 'string') return message
  try {
    return String(error)
  } catch {
    return 'something was thrown that cannot be shown'
  }
}

/** A failed result for what a node threw. */
export function failureOf(error: unknown): NodeResult<never> {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code
  return {
    success: false,
    error: {
      message: messageOf(error),
      ...(typeof code === 'string' && { code }),
      cause: error,
    },
  }
}

const isVariables = (value: unknown): value is Variables =>
  typeof (value as Variables | undefined)?.get === 'function' &&
  typeof (value as Variables).names === 'function'
