// A text and a stream, each asked for twice: two requests.
import assert from 'node:assert/strict'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { InMemoryCache } from '@flow-cache/memory'
import { aiSdkCache } from '@flow-cache/node/ai-sdk'
import { generateText, streamText, wrapLanguageModel } from 'ai'

const provider = createOpenAICompatible({
  name: 'loopback',
  baseURL: process.env['MODEL_URL'] as string,
  apiKey: 'key',
  includeUsage: true,
})
const cache = new InMemoryCache()
const model = wrapLanguageModel({ model: provider('m'), middleware: aiSdkCache({ cache, scope: 'global' }) })

const first = await generateText({ model, prompt: 'hi' })
const second = await generateText({ model, prompt: 'hi' })
assert.equal(second.text, first.text)
assert.equal(first.usage.inputTokens, 10)
assert.equal(second.usage.inputTokens, 0)

const stream = async (): Promise<string> => {
  let text = ''
  for await (const delta of streamText({ model, prompt: 'tell me' }).textStream) text += delta
  return text
}
const [one, two] = await Promise.all([stream(), stream()])
assert.ok(one.length > 0)
assert.equal(two, one)
await cache.close()
