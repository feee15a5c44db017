// A model that is asked by three, one of them later: one request.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheModel } from '@flow-cache/node/genkit'
import { genkit } from 'genkit'

await using cache = new InMemoryCache()
const ai = genkit({})
const model = ai.defineModel({ name: 'loopback' }, async ({ messages }) => {
  const body = JSON.stringify({ model: 'm', messages })
  const response = await fetch(`${process.env['MODEL_URL']}/chat/completions`, { method: 'POST', body })
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  return {
    message: { role: 'model', content: [{ text: choices[0]?.message.content ?? '' }] },
    finishReason: 'stop',
    usage: { inputTokens: 10, outputTokens: 3, totalTokens: 13 },
  }
})
const use = [cacheModel({ cache, model: 'loopback', scope: 'global' })]
const ask = async (): Promise<{ text: string; tokens: number | undefined }> => {
  const { text, usage } = await ai.generate({ model, prompt: 'q', use })
  return { text, tokens: usage.totalTokens }
}

const answers = await Promise.all([ask(), ask()])
assert.deepEqual(answers.map(({ tokens }) => tokens).toSorted(), [0, 13])
assert.deepEqual(await ask(), { text: answers[0].text, tokens: 0 })
process.exit(0)
