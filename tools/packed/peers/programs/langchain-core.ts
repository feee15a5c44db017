// A chat model behind `cachedModel`, and one with LangChain's own `cache`: a request each.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cachedModel, langChainCache } from '@flow-cache/node/langchain'
import { ChatOpenAI } from '@langchain/openai'

await using cache = new InMemoryCache()
const fields = { model: 'm', apiKey: 'key', configuration: { baseURL: process.env['MODEL_URL'] as string } }

const model = cachedModel(new ChatOpenAI(fields), { cache, scope: 'global' })
const answers = await Promise.all([model.invoke('q'), model.invoke('q')])
const hit = await model.invoke('q')
assert.equal(answers[0]?.text, hit.text)
assert.equal(answers[1]?.text, hit.text)
assert.deepEqual(hit.response_metadata['flowCache'], {
  hit: true,
  savedInputTokens: 10,
  savedOutputTokens: 3,
})

const own = new ChatOpenAI({ ...fields, cache: langChainCache({ cache, scope: 'global' }) })
const first = await own.invoke('another')
await cache.drain()
assert.equal((await own.invoke('another')).text, first.text)
