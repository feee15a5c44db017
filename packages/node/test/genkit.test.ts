import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { type Script, startModelServer } from '@flow-cache/model-server'
import { cacheModel, type CacheModelOptions } from '@flow-cache/node/genkit'
import { genkit, z } from 'genkit'
import { GenerateRequestSchema } from 'genkit/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { caches } from './caches.js'

let server: Awaited<ReturnType<typeof startModelServer>>
beforeEach(async () => {
  server = await startModelServer()
})
afterEach(async () => server[Symbol.asyncDispose]())

/** Calls the tool, with an id of its own each time. */
const callsTool: Script = (_, index) => ({
  toolCalls: [{ id: `call-${index}`, name: 'weather', args: { city: 'Oslo' } }],
})

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })
const ai = genkit({})
const weather = ai.defineTool(
  { name: 'weather', description: 'd', inputSchema: z.object({ city: z.string() }) },
  async () => 'sun',
)

/** A model of Genkit that asks the server. */
const model = ai.defineModel({ name: 'loopback', supports: { tools: true } }, async (request, sendChunk) => {
  const response = await fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', messages: request.messages }),
  })
  if (!response.ok) throw new Error(`failed with ${response.status}`)
  const raw = (await response.json()) as {
    choices: { finish_reason: string; message: { content: string; tool_calls?: { id: string }[] } }[]
  }
  const [{ finish_reason, message }] = raw.choices as [(typeof raw.choices)[0]]
  const calls = (message.tool_calls ?? []).map(({ id }) => ({
    toolRequest: { name: 'weather', ref: id, input: { city: 'Oslo' } },
  }))
  const words = (message.content ?? '').split(/(?= )/)
  if (sendChunk !== undefined) for (const text of words) sendChunk({ content: [{ text }] })
  return {
    message: { role: 'model', content: calls.length > 0 ? calls : [{ text: message.content }] },
    finishReason: finish_reason === 'tool_calls' ? 'stop' : (finish_reason as 'stop'),
    usage: { inputTokens: 10, outputTokens: 3, totalTokens: 13 },
    raw: { headers: 'SECRET-RAW' },
  }
})

const around = (options: Partial<CacheModelOptions> = {}) =>
  cacheModel({ cache: open(), model: 'loopback', scope: 'global', ...options })
const ask = async (use: ReturnType<typeof around>, more: object = {}) =>
  ai.generate({ model, prompt: 'q', use: [use], ...more })

describe.each(Object.keys(caches))('cacheModel on %s', (kind) => {
  it('asks the server once for twenty callers, and tells whoever did not pay that usage is 0', async () => {
    await using cache = caches[kind]!()
    const use = around({ cache })
    const door = gate()
    server.always({ before: door.wait() })
    const all = Array.from({ length: 20 }, async () => ask(use))
    door.open()
    const answers = await Promise.all(all)
    const hit = await ask(use)
    expect(server.requests).toHaveLength(1)
    for (const { text } of [...answers, hit]) expect(text).toBe('answer 1')
    expect(answers.filter(({ usage }) => usage.totalTokens === 13)).toHaveLength(1)
    expect(hit.usage.totalTokens).toBe(0)
    expect(hit.custom).toEqual({ flowCache: { hit: true, savedInputTokens: 10, savedOutputTokens: 3 } })
  })

  it('tells the chunks of a stream again', async () => {
    await using cache = caches[kind]!()
    const use = around({ cache })
    server.always({ text: 'one two three' })
    const streamed = async (): Promise<string[]> => {
      const texts: string[] = []
      await ask(use, { onChunk: ({ text }: { text: string }) => void texts.push(text) })
      return texts
    }
    const first = await streamed()
    expect(first).toEqual(['one', ' two', ' three'])
    expect(await streamed()).toEqual(first)
    expect(server.requests).toHaveLength(1)
    await ask(use)
    expect(server.requests).toHaveLength(2)
  })
})

describe('cacheModel', () => {
  it('keeps no error and no answer that was cut short or blocked', async () => {
    const use = around()
    server.always({ error: { status: 500, message: 'failed with 500' } })
    await expect(ask(use)).rejects.toThrow('500')
    server.always({ finish: 'length' })
    for (let i = 0; i < 2; i++) await ask(use)
    expect(server.requests).toHaveLength(3)
    server.always({})
    for (let i = 0; i < 2; i++) expect((await ask(use)).text).toBe('answer 4')
  })

  it('keeps calls of tools only where asked to, with refs of their own', async () => {
    server.always(callsTool)
    const more = { tools: [weather], returnToolRequests: true }
    const skips = around()
    for (let i = 0; i < 2; i++) await ask(skips, more)
    expect(server.requests).toHaveLength(2)
    const use = around({ toolCalls: 'cache' })
    const answers = [await ask(use, more), await ask(use, more)].map(
      ({ toolRequests }) => toolRequests[0]!.toolRequest,
    )
    expect(server.requests).toHaveLength(3)
    expect(answers[1]).toMatchObject({ name: 'weather', input: { city: 'Oslo' } })
    expect(answers[1]!.ref).not.toBe(answers[0]!.ref)
  })

  it('never gives one tenant the answer of another', async () => {
    const use = around({ scope: () => ({ user: ai.currentContext()?.['user'] as string }) })
    for (const user of ['a', 'b', 'a', 'b']) await ask(use, { context: { user } })
    expect(server.requests).toHaveLength(2)
    await expect(ask(use)).rejects.toThrow('scope.user')
  })

  it('stores nothing of the prompt, the scope or the wire', async () => {
    const clock = fakeClock()
    const store = mapStore(clock)
    const kept: string[] = []
    const cache = createCache({
      clock,
      store: {
        ...store,
        set: (key, entry) => (kept.push(key, JSON.stringify(entry)), store.set(key, entry)),
      },
    })
    await ask(around({ cache, scope: { tenant: 'SECRET' } }), {
      prompt: 'SECRET',
      config: { apiKey: 'SECRET' },
    })
    expect(kept).not.toEqual([])
    expect(kept.join()).not.toContain('SECRET')
  })

  it('answers although the cache is closed, and refuses options that are wrong', async () => {
    const cache = open()
    await cache.close()
    expect((await ask(around({ cache }))).text).toBe('answer 1')
    for (const wrong of [{ scope: undefined }, { model: '' }, { cache: {} }, { tll: 1 }, { finish: 'x' }])
      expect(() => around(wrong as never)).toThrow(TypeError)
  })
})

/** Every field of a request, by the list of Genkit's own schema: a new one fails here until it has two values. */
const samples: Record<string, readonly [unknown, unknown]> = {
  messages: [[{ role: 'user', content: [{ text: 'a' }] }], [{ role: 'user', content: [{ text: 'b' }] }]],
  config: [{ temperature: 0 }, { temperature: 1 }],
  tools: [[{ name: 'a', description: '' }], [{ name: 'b', description: '' }]],
  toolChoice: ['auto', 'none'],
  output: [{ format: 'json' }, { format: 'text' }],
  docs: [[{ content: [{ text: 'a' }] }], [{ content: [{ text: 'b' }] }]],
  candidates: [1, 2],
}

describe('3. every field of a request', () => {
  it.each(Object.keys(GenerateRequestSchema.shape))('%s is in the key', async (name) => {
    expect(samples).toHaveProperty(name)
    const use = around()
    let runs = 0
    const next = async () => ({
      finishReason: 'stop',
      message: { role: 'model', content: [] },
      custom: ++runs,
    })
    for (const value of [samples[name]![0], samples[name]![1], samples[name]![0]])
      await use({ messages: [], [name]: value }, {}, next as never)
    expect(runs).toBe(2)
  })
})
