import { NodeCacheError } from '../errors.js'
import { checkFunction, checkObject, checkText, wrong } from '../checks.js'
import type { BaseNode } from '../node.js'

/** Where a run goes on after a node: one node, or several at once. */
export type Edge = string | readonly string[]

/** The nodes of a workflow and what follows each. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, BaseNode>
  readonly after: ReadonlyMap<string, readonly string[]>
  readonly before: ReadonlyMap<string, readonly string[]>
  /** Where each node may go by its own word. */
  readonly routes: ReadonlyMap<string, readonly string[]>
  readonly start: string
}

const refuse = (message: string): never => {
  throw new NodeCacheError('ERR_WORKFLOW', message)
}

/** Checks the whole of a workflow: missing nodes, twice the same, never reached, circles that no route leads out of. */
export function graphOf(options: {
  readonly nodes: readonly BaseNode[]
  readonly edges?: Readonly<Record<string, Edge>> | undefined
  readonly routes?: Readonly<Record<string, readonly string[]>> | undefined
  readonly start?: string | undefined
}): Graph {
  const { edges, routes: routed = {} } = options
  if (!Array.isArray(options.nodes)) wrong('nodes', 'an array of nodes', options.nodes)
  if (edges !== undefined) checkObject(edges, 'edges')
  checkObject(routed, 'routes')
  const nodes = new Map<string, BaseNode>()
  for (const node of options.nodes) {
    checkObject(node, 'a node')
    checkText(node.id, "a node's id")
    checkFunction(node.execute, `the execute of the node '${node.id}'`)
    if (nodes.has(node.id)) refuse(`two nodes have the id '${node.id}'`)
    nodes.set(node.id, node)
  }
  const { start = options.nodes[0]?.id } = options
  if (start === undefined) return refuse('a workflow needs a node')
  const known = (id: string, where: string): string =>
    nodes.has(id) ? id : refuse(`${where} names '${id}', and there is no such node`)
  known(start, 'start')
  const after = new Map<string, readonly string[]>()
  const before = new Map<string, string[]>()
  const ids = [...nodes.keys()]
  ids.forEach((id, i) => {
    const edge = edges === undefined ? ids[i + 1] : Object.hasOwn(edges, id) ? edges[id] : undefined
    const targets = edge === undefined ? [] : typeof edge === 'string' ? [edge] : edge
    if (!Array.isArray(targets)) wrong(`edges['${id}']`, 'the id of a node, or an array of ids', targets)
    for (const target of targets) {
      known(target, `the edge of '${id}'`)
      before.set(target, [...(before.get(target) ?? []), id])
    }
    after.set(id, targets)
  })
  for (const id of Object.keys(edges ?? {})) known(id, 'edges')
  const routes = new Map<string, readonly string[]>()
  for (const [id, targets] of Object.entries(routed)) {
    known(id, 'routes')
    if (!Array.isArray(targets)) wrong(`routes['${id}']`, 'an array of the ids of nodes', targets)
    for (const target of targets) known(target, `the routes of '${id}'`)
    routes.set(id, targets)
  }
  checkReach({ nodes, after, before, routes, start })
  checkCircles(after)
  return { nodes, after, before, routes, start }
}

function checkReach({ nodes, after, routes, start }: Graph): void {
  const reached = new Set<string>()
  const open = [start]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    open.push(...(after.get(id) ?? []), ...(routes.get(id) ?? []))
  }
  for (const id of nodes.keys()) if (!reached.has(id)) refuse(`nothing leads to the node '${id}'`)
}

function checkCircles(after: Graph['after']): void {
  const state = new Map<string, 'open' | 'done'>()
  const visit = (id: string, path: readonly string[]): void => {
    if (state.get(id) === 'done') return
    if (state.get(id) === 'open')
      refuse(`the edges form a circle: ${[...path, id].join(' → ')}; lead back by a route`)
    state.set(id, 'open')
    for (const next of after.get(id) ?? []) visit(next, [...path, id])
    state.set(id, 'done')
  }
  for (const id of after.keys()) visit(id, [])
}
