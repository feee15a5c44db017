// An agent that runs twice, and one whose text is streamed twice: a request each.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cachedModel } from '@flow-cache/node/openai-agents'
import { Agent, Runner, setTracingDisabled } from '@openai/agents-core'
import { OpenAIChatCompletionsModel } from '@openai/agents-openai'
import OpenAI from 'openai'

setTracingDisabled(true)
await using cache = new InMemoryCache()
const client = new OpenAI({ baseURL: process.env['MODEL_URL'] as string, apiKey: 'key', maxRetries: 0 })
const model = cachedModel(new OpenAIChatCompletionsModel(client, 'm'), { cache, scope: 'global', name: 'm' })
const agent = new Agent({ name: 'a', instructions: 'short', model })

const first = await new Runner().run(agent, 'hi')
const second = await new Runner().run(agent, 'hi')
assert.ok(first.finalOutput)
assert.equal(second.finalOutput, first.finalOutput)
assert.equal(second.state.usage.inputTokens, 0)

const stream = async (): Promise<string> => {
  const run = await new Runner().run(agent, 'tell me', { stream: true })
  let text = ''
  for await (const delta of run.toTextStream()) text += delta
  await run.completed
  return text
}
const text = await stream()
assert.ok(text.length > 0)
assert.equal(await stream(), text)
