import type { Cache } from '@flow-cache/core'
import { cacheModel } from '@flow-cache/node/genkit'
import { describe, it } from 'vitest'

declare const cache: Cache

describe('the adapter', () => {
  it('does not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => cacheModel({ cache, model: 'm' }))
  })
})
