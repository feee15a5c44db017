import type { Cache } from '@flow-cache/core'
import { cacheStep } from '@flow-cache/node/mastra'
import { describe, it } from 'vitest'

declare const cache: Cache

describe('the adapter', () => {
  it('does not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => cacheStep({ id: 's', execute: async (x: object) => x }, { cache }))
  })
})
