import type { Cache } from '@flow-cache/core'
import { cachedNode, langGraphCache } from '@flow-cache/node/langgraph'
import { type BaseCache } from '@langchain/langgraph-checkpoint'
import { describe, expectTypeOf, it } from 'vitest'

declare const cache: Cache

describe('the LangGraph adapters', () => {
  it('do not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => langGraphCache({ cache, graph: 'g', version: '1' }))
    // @ts-expect-error scope is missing
    void (() => cachedNode((x: number) => x, { cache, name: 'n' }))
  })

  it('are what LangGraph takes', () => {
    expectTypeOf(langGraphCache).returns.toEqualTypeOf<BaseCache>()
    const node = () =>
      cachedNode(async (x: { n: number }) => ({ n: x.n }), { cache, name: 'n', scope: 'global' })
    expectTypeOf<ReturnType<ReturnType<typeof node>>>().toEqualTypeOf<Promise<{ n: number }>>()
  })
})
