// Three values, two of them asked for before: two requests, the second for what is missing.
import assert from 'node:assert/strict'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheEmbeddings } from '@flow-cache/node/ai-sdk'
import { embedMany, wrapEmbeddingModel } from 'ai'

const provider = createOpenAICompatible({ name: 'loopback', baseURL: process.env['MODEL_URL'] as string })
await using cache = new InMemoryCache()
const model = wrapEmbeddingModel({
  model: provider.embeddingModel('e'),
  middleware: cacheEmbeddings({ cache, scope: 'global' }),
})
const { embeddings } = await embedMany({ model, values: ['a', 'bb'] })
const mixed = await embedMany({ model, values: ['ccc', 'bb', 'a'] })
assert.deepEqual(mixed.embeddings.slice(1), [embeddings[1], embeddings[0]])
