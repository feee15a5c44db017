import type { Cache } from '@flow-cache/core'
import {
  CacheAsideNode,
  cacheFn,
  cacheMap,
  CacheNode,
  cacheNode,
  CachedWorkflowNode,
  defineNode,
} from '@flow-cache/node'
import { describe, expectTypeOf, it } from 'vitest'

declare const cache: Cache
const node = defineNode('n', (x: number) => String(x))

describe('cacheNode', () => {
  it('does not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => cacheNode(node, { cache }))
    // @ts-expect-error scope is missing
    void (() => cacheFn((x: number) => x, { cache, name: 'f' }))
    const map = { cache, items: (x: number[]) => x, assemble: (x: readonly number[]) => x }
    const each = defineNode('m', (x: readonly number[]) => x)
    // @ts-expect-error scope is missing
    void (() => cacheMap(each, map))
    // @ts-expect-error scope is missing
    void (() => new CachedWorkflowNode({ node, cacheConfig: { type: 'memory' } }))
    // @ts-expect-error scope is missing
    void (() => new CacheNode({ node }))
    const origin = { read: (x: number) => x }
    // @ts-expect-error scope is missing
    void (() => new CacheAsideNode({ id: 'a', cache, origin }))
    // @ts-expect-error 'everyone' is none
    void (() => cacheNode(node, { cache, scope: 'everyone' }))
  })

  it('keeps the types of the node', () => {
    const cached = () => cacheNode(node, { cache, scope: 'global' })
    expectTypeOf<Parameters<ReturnType<typeof cached>['explain']>[0]>().toEqualTypeOf<number>()
  })

  it('is called like the function', () => {
    const cached = () => cacheFn(async (x: number) => ({ x }), { cache, name: 'f', scope: 'global' })
    expectTypeOf<ReturnType<ReturnType<typeof cached>>>().toEqualTypeOf<Promise<{ x: number }>>()
  })
})
