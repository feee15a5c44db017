import type { BaseNode } from '../node.js'
import { sourceOf, versionOf } from '../version.js'

/** One node of several in a row: each is given the output of the one before. Stops at a failure or an interrupt. */
export function pipe<I, O>(id: string, ...nodes: readonly BaseNode<never>[]): BaseNode<I, O> {
  if (nodes.length === 0) throw new TypeError('pipe needs a node')
  return {
    id,
    type: 'pipe',
    source: nodes.map(sourceOf).join('\n'),
    config: nodes.map((node) => ({
      id: node.id,
      type: node.type,
      version: versionOf(node, undefined),
      config: node.config,
    })),
    async execute(context, workflow) {
      let result: Awaited<ReturnType<BaseNode['execute']>> = { success: true, output: context.input }
      for (const node of nodes as readonly BaseNode[]) {
        if (!result.success || result.interrupt !== undefined) break
        result = await node.execute({ ...context, nodeId: node.id, input: result.output }, workflow)
      }
      return result as Awaited<ReturnType<BaseNode<I, O>['execute']>>
    },
  }
}
