import { keyOf } from '@flow-cache/core'
import { toPlain } from '../plain.js'
import { graphShapes } from './shapes.js'

/**
 * A `keyFunc` for LangGraph's cache policies: `addNode('n', fn, { cachePolicy: { keyFunc: flowKey } })`. Maps, sets,
 * dates and bytes count with their content, the order of names does not matter, and what has no canonical form is a
 * `CacheKeyError` or a `CacheError`, never a shortened key. Ids of messages count; leave them out with
 * `keyFunc: ([state]) => flowKey([conversation(state.messages)])`.
 */
export function flowKey(args: readonly unknown[]): string {
  return keyOf(toPlain(args, graphShapes))
}
