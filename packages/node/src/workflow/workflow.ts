/*
 * A small runner: nodes in a row, branches that run at once and meet again, routes, interrupts. State lives in this
 * process: whoever needs runs that survive it takes a durable engine and caches inside its steps.
 */
import { type Clock, randomId, systemClock } from '@flow-cache/core'
import type { CacheInfo } from '../cache-info.js'
import { checkNames, checkObject, checkText } from '../checks.js'
import { checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import type { BaseNode, Interrupt, NodeFailure, NodeResult, WorkflowContext } from '../node.js'
import { failureOf, type RunOptions } from '../run-node.js'
import { checkScope } from '../scope.js'
import { createVariables, snapshotOf } from '../variables.js'
import { type Edge, type Graph, graphOf } from './graph.js'

/** Options of {@link workflow}. */
export interface WorkflowOptions {
  readonly id: string
  readonly nodes: readonly BaseNode<never>[]
  /** What follows each node; several run at once. Default: one node after the other, as they stand. */
  readonly edges?: Readonly<Record<string, Edge>> | undefined
  /** Where nodes may go by `next`, beside their edges. A node may go only there or along its edges. */
  readonly routes?: Readonly<Record<string, readonly string[]>> | undefined
  /** Default: the first node. */
  readonly start?: string | undefined
  /** How often one node may run in a run, against routes that never end. Default: 100. */
  readonly maxVisits?: number | undefined
  readonly clock?: Clock | undefined
}

/** What became of one node. The last time, if it ran several times. */
export interface NodeReport {
  readonly status: 'success' | 'failed' | 'interrupted'
  readonly ms: number
  readonly cache?: CacheInfo
}

/** Where an interrupted run stands: plain data, to be stored and resumed. */
export interface Snapshot {
  readonly workflow: string
  /** The node that interrupted: it is given the answer and runs again from its successors on. */
  readonly at: string
  readonly outputs: Readonly<Record<string, unknown>>
  /** The nodes that are done, also those whose output is `undefined`, which JSON leaves out. */
  readonly done: readonly string[]
  /** Those of them that were the last of their branch. */
  readonly ends: readonly string[]
  /** What is still to run: other branches had come so far, and perhaps have a question of their own. */
  readonly pending: readonly { readonly nodeId: string; readonly input: unknown }[]
  readonly variables: Readonly<Record<string, unknown>>
  readonly path: readonly string[]
}

/** What came of a run. */
export interface WorkflowResult {
  readonly status: 'success' | 'failed' | 'interrupted'
  /** That of the last node; by id where several branches ended. */
  readonly output: unknown
  /** The nodes that ran, in the order they began. */
  readonly path: readonly string[]
  readonly nodes: Readonly<Record<string, NodeReport>>
  readonly variables: Readonly<Record<string, unknown>>
  readonly error?: NodeFailure & { readonly nodeId: string }
  readonly interrupt?: Interrupt & { readonly nodeId: string }
  /** Present if it was interrupted; give it to `resume`. */
  readonly snapshot?: Snapshot
}

/** What a run tells of while it goes on. */
export type WorkflowEvent =
  | { readonly type: 'workflow-start'; readonly runId: string }
  | { readonly type: 'node-start'; readonly nodeId: string }
  | { readonly type: 'chunk'; readonly nodeId: string; readonly chunk: unknown }
  | {
      readonly type: 'node-end'
      readonly nodeId: string
      readonly report: NodeReport
      readonly output: unknown
    }
  | { readonly type: 'workflow-end'; readonly result: WorkflowResult }

/** Nodes that belong together. */
export interface Workflow {
  readonly id: string
  /** Runs it. Never rejects for a node that fails: see `status`. */
  run(input: unknown, options?: RunOptions): Promise<WorkflowResult>
  /** Runs it and tells of everything. Leaving the loop aborts the run. */
  stream(input: unknown, options?: RunOptions): AsyncGenerator<WorkflowEvent, void, undefined>
  /** Goes on where a run was interrupted, with the answer as the output of the node that asked. */
  resume(snapshot: Snapshot, answer: unknown, options?: RunOptions): Promise<WorkflowResult>
}

interface State {
  readonly outputs: Map<string, unknown>
  readonly path: string[]
  readonly nodes: Record<string, NodeReport>
  readonly visits: Map<string, number>
  readonly ends: Map<string, unknown>
  readonly pending: { readonly nodeId: string; readonly input: unknown }[]
  error?: WorkflowResult['error']
  interrupt?: WorkflowResult['interrupt']
}

/**
 * A workflow of these nodes. A node is given the output before it; where branches meet, an object of their outputs by
 * id, once all of them that run are there. Each node commits to its cache on its own, so that a run that fails keeps
 * what was done. A workflow that is put together wrong is an `ERR_WORKFLOW`.
 */
export function workflow(options: WorkflowOptions): Workflow {
  checkObject(options, "workflow's options")
  checkText(options.id, "a workflow's id")
  checkNames(options, ['id', 'nodes', 'edges', 'routes', 'start', 'maxVisits', 'clock'], 'workflow')
  const graph = graphOf(options)
  const { id, maxVisits = 100, clock = systemClock } = options
  if (!(maxVisits >= 1)) throw new RangeError(`maxVisits must be 1 or more, got ${maxVisits}`)

  const go = async (
    entry:
      | { readonly node: string; readonly input: unknown }
      | { readonly snapshot: Snapshot; readonly answer: unknown },
    run: RunOptions,
    tell: (event: WorkflowEvent) => void,
  ): Promise<WorkflowResult> => {
    if (run.scope !== undefined) checkScope(run.scope)
    const stop = new AbortController()
    const signal = run.signal === undefined ? stop.signal : AbortSignal.any([run.signal, stop.signal])
    const resumed = 'snapshot' in entry ? entry.snapshot : undefined
    const context: WorkflowContext = {
      runId: randomId(),
      workflowId: id,
      variables: createVariables({ ...resumed?.variables, ...run.variables }),
      scope: run.scope,
      signal,
      cache: checkControl(run.cache),
    }
    const state: State = {
      outputs: pairsOf(resumed?.done, resumed?.outputs),
      path: [...(resumed?.path ?? [])],
      nodes: {},
      visits: new Map(),
      ends: pairsOf(resumed?.ends, resumed?.outputs),
      pending: [],
    }

    const visit = async (nodeId: string, input: unknown): Promise<void> => {
      if (state.error !== undefined) return
      // What other branches would do now waits for the answer.
      if (state.interrupt !== undefined) {
        state.pending.push({ nodeId, input })
        return
      }
      const visits = (state.visits.get(nodeId) ?? 0) + 1
      state.visits.set(nodeId, visits)
      const node = graph.nodes.get(nodeId)!
      state.path.push(nodeId)
      tell({ type: 'node-start', nodeId })
      const began = clock.now()
      const emit = (chunk: unknown): void => tell({ type: 'chunk', nodeId, chunk })
      let result: NodeResult
      try {
        signal.throwIfAborted()
        if (visits > maxVisits)
          throw new NodeCacheError(
            'ERR_WORKFLOW',
            `'${nodeId}' ran ${maxVisits} times: a route that never ends`,
          )
        result = await gathered(
          await node.execute({ nodeId, input, attempt: 1, signal, emit }, context),
          emit,
        )
      } catch (error) {
        result = failureOf(error)
      }
      const cache = result.metadata?.cache
      const status = !result.success ? 'failed' : result.interrupt === undefined ? 'success' : 'interrupted'
      const report: NodeReport = { status, ms: clock.now() - began, ...(cache !== undefined && { cache }) }
      state.nodes[nodeId] = report
      tell({ type: 'node-end', nodeId, report, output: result.success ? result.output : undefined })
      if (!result.success) {
        state.error ??= { ...result.error, nodeId }
        stop.abort(new Error(`node '${nodeId}' failed`))
        return
      }
      if (result.interrupt !== undefined) {
        // One question at a time: whoever asks second asks again.
        if (state.interrupt === undefined) state.interrupt = { ...result.interrupt, nodeId }
        else state.pending.push({ nodeId, input })
        return
      }
      state.outputs.set(nodeId, result.output)
      return leave(nodeId, result.output, result.next)
    }

    const leave = async (nodeId: string, output: unknown, next: string | undefined): Promise<void> => {
      if (next !== undefined) {
        const allowed = [...(graph.routes.get(nodeId) ?? []), ...(graph.after.get(nodeId) ?? [])]
        if (!allowed.includes(next)) {
          state.error ??= {
            nodeId,
            code: 'ERR_WORKFLOW',
            message: `node '${nodeId}' goes to '${next}', which is neither in its edges nor in its routes`,
          }
          return
        }
        return visit(next, output)
      }
      const targets = graph.after.get(nodeId)!
      if (targets.length === 0) state.ends.set(nodeId, output)
      await Promise.all(
        targets.map(async (target) => {
          const from = graph.before.get(target)!
          if (from.length === 1) return visit(target, output)
          const joined = joinedInput(graph, target, state.outputs)
          // The last branch to arrive goes on for all.
          if (joined !== undefined && !state.visits.has(target)) await visit(target, joined)
        }),
      )
    }

    tell({ type: 'workflow-start', runId: context.runId })
    if ('snapshot' in entry) {
      state.outputs.set(entry.snapshot.at, entry.answer)
      const { at, pending } = entry.snapshot
      await Promise.all([
        leave(at, entry.answer, undefined),
        ...pending.map(async ({ nodeId, input }) => visit(nodeId, input)),
      ])
    } else await visit(entry.node, entry.input)

    const status =
      state.error !== undefined ? 'failed' : state.interrupt !== undefined ? 'interrupted' : 'success'
    const variables = snapshotOf(context.variables)
    const result: WorkflowResult = {
      status,
      output:
        state.ends.size === 1
          ? [...state.ends.values()][0]
          : state.ends.size === 0
            ? undefined
            : Object.fromEntries(state.ends),
      path: state.path,
      nodes: state.nodes,
      variables,
      ...(state.error !== undefined && { error: state.error }),
      ...(status === 'interrupted' && {
        interrupt: state.interrupt!,
        snapshot: {
          workflow: id,
          at: state.interrupt!.nodeId,
          outputs: Object.fromEntries(state.outputs),
          done: [...state.outputs.keys()],
          ends: [...state.ends.keys()],
          pending: state.pending,
          variables,
          path: state.path,
        },
      }),
    }
    tell({ type: 'workflow-end', result })
    return result
  }

  return {
    id,
    run: async (input, run = {}) => go({ node: graph.start, input }, run, () => {}),
    async resume(snapshot, answer, run = {}) {
      const isMine =
        snapshot?.workflow === id &&
        graph.nodes.has(snapshot.at) &&
        [snapshot.done, snapshot.ends, snapshot.pending].every(Array.isArray) &&
        snapshot.pending.every(({ nodeId }) => graph.nodes.has(nodeId))
      if (!isMine) throw new NodeCacheError('ERR_WORKFLOW', `the snapshot is none of the workflow '${id}'`)
      return go({ snapshot, answer }, run, () => {})
    },
    async *stream(input, run = {}) {
      const left = new AbortController()
      const signal = run.signal === undefined ? left.signal : AbortSignal.any([run.signal, left.signal])
      const events: WorkflowEvent[] = []
      let wake = (): void => {}
      const tell = (event: WorkflowEvent): void => {
        events.push(event)
        wake()
      }
      const whole = go({ node: graph.start, input }, { ...run, signal }, tell)
      whole.catch(() => wake())
      try {
        for (;;) {
          const event = events.shift()
          if (event !== undefined) {
            yield event
            if (event.type === 'workflow-end') return
          } else await Promise.race([new Promise<void>((resolve) => (wake = resolve)), whole])
        }
      } finally {
        left.abort(new Error('nobody follows the run'))
        await whole
      }
    },
  }
}

/** The outputs of these nodes. */
function pairsOf(
  ids: readonly string[] = [],
  outputs: Readonly<Record<string, unknown>> = {},
): Map<string, unknown> {
  return new Map(ids.map((id) => [id, outputs[id]]))
}

/** What the branches brought, by id, or `undefined` while one of them is still under way. */
function joinedInput(graph: Graph, target: string, outputs: ReadonlyMap<string, unknown>): unknown {
  const from = graph.before.get(target)!
  if (!from.every((id) => outputs.has(id))) return undefined
  return Object.fromEntries(from.map((id) => [id, outputs.get(id)]))
}

/** The result with a stream read to its end: its chunks are told of one by one, and are the output as a list. */
async function gathered(result: NodeResult, emit: (chunk: unknown) => void): Promise<NodeResult> {
  if (!result.success || typeof result.output !== 'object' || result.output === null) return result
  if (!(Symbol.asyncIterator in result.output)) return result
  const chunks: unknown[] = []
  for await (const chunk of result.output as AsyncIterable<unknown>) {
    chunks.push(chunk)
    emit(chunk)
  }
  return { ...result, output: chunks.every((chunk) => typeof chunk === 'string') ? chunks.join('') : chunks }
}
