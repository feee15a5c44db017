import type { Cache } from '@flow-cache/core'
import { langChainCache, cachedModel } from '@flow-cache/node/langchain'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { describe, it } from 'vitest'

declare const cache: Cache
declare const model: BaseChatModel

describe('the adapter', () => {
  it('does not compile without a scope', () => {
    // @ts-expect-error scope is missing
    void (() => langChainCache({ cache }))
    // @ts-expect-error scope is missing
    void (() => cachedModel(model, { cache }))
  })
})
