import type { Cache } from '@flow-cache/core'
import { cachedModel, cachedModelProvider } from '@flow-cache/node/openai-agents'
import type { Model, ModelProvider } from '@openai/agents-core'
import { describe, it } from 'vitest'

declare const cache: Cache
declare const model: Model
declare const provider: ModelProvider

describe('the adapter', () => {
  it('does not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => cachedModel(model, { cache, name: 'm' }))
    // @ts-expect-error scope is missing
    void (() => cachedModelProvider(provider, { cache, name: 'p' }))
  })
})
