import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cache } from '@flow-cache/core'
import { startModelServer } from '@flow-cache/model-server'
import {
  Agent,
  type Model,
  type ModelRequest,
  Runner,
  setTracingDisabled,
  Usage,
  withTrace,
} from '@openai/agents-core'
import { OpenAIChatCompletionsModel } from '@openai/agents-openai'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AgentsCacheOptions,
  cachedModel,
  cachedModelProvider,
  transportFields,
} from '@flow-cache/node/openai-agents'
import { caches } from './caches.js'

setTracingDisabled(true)
const server = await startModelServer()
afterAll(async () => server.close())

let cache: Cache
afterEach(async () => cache.close())

const real = (name = 'm'): Model =>
  new OpenAIChatCompletionsModel(
    new OpenAI({ baseURL: server.url, apiKey: 'sk-secret', maxRetries: 0 }),
    name,
  )
const wrapped = (options: Partial<AgentsCacheOptions> = {}) =>
  cachedModel(real(), { cache, scope: 'global', name: 'm', ...options })
const ask = async (model: Model, input = 'hi') =>
  new Runner().run(new Agent({ name: 'a', instructions: 'short', model }), input)
const read = async (model: Model): Promise<string> => {
  const run = await new Runner().run(new Agent({ name: 'a', model }), 'hi', { stream: true })
  let text = ''
  for await (const delta of run.toTextStream()) text += delta
  await run.completed
  return text
}
const direct = async (model: Model, asked: ModelRequest) =>
  withTrace('test', async () => model.getResponse(asked))
const request: ModelRequest = {
  input: 'hi',
  modelSettings: {},
  tools: [],
  outputType: 'text',
  handoffs: [],
  tracing: false,
}

describe.each(Object.entries(caches))('on %s', (_, open) => {
  beforeEach(() => {
    server.reset()
    cache = open()
  })

  it('asks once for the same question, and reports no usage on the hit', async () => {
    const model = wrapped()
    const first = await ask(model)
    const second = await ask(model)
    expect(second.finalOutput).toBe(first.finalOutput)
    expect(server.requests).toHaveLength(1)
    expect(first.state.usage.inputTokens).toBe(10)
    expect(second.state.usage.inputTokens).toBe(0)
    const hit = await direct(model, request)
    expect(hit.usage).toBeInstanceOf(Usage)
    expect((await direct(model, request)).providerData?.['flowCache']).toMatchObject({
      hit: true,
      savedInputTokens: 10,
    })
  })

  it('1. twenty streams at once cost one request, and a later one none', async () => {
    const model = wrapped()
    server.next({ text: 'one two three' })
    const all = await Promise.all(Array.from({ length: 20 }, async () => read(model)))
    expect(new Set(all)).toEqual(new Set(['one two three']))
    expect(await read(model)).toBe('one two three')
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['cut', { cutAfter: 1, text: 'a b c' }],
    ['broken off by an error', { errorAfter: 1, text: 'a b c' }],
    ['ended for length', { finish: 'length' }],
  ])('2. does not keep a stream that was %s', async (_, script) => {
    const model = wrapped()
    server.next(script)
    await read(model).catch(() => '')
    server.next({ text: 'whole' })
    expect(await read(model)).toBe('whole')
    expect(server.requests).toHaveLength(2)
  })

  it('2. never replays an error, and keeps no answer that was cut short', async () => {
    const model = wrapped()
    server.next({ error: { status: 500, message: 'down' } }, { finish: 'length' })
    await expect(ask(model)).rejects.toThrow(Error)
    await ask(model)
    await ask(model)
    await ask(model)
    expect(server.requests).toHaveLength(3)
  })

  it('keeps calls of tools only where asked to, and gives them ids of their own', async () => {
    server.always({ toolCalls: [{ id: 'call_1', name: 'look', args: { at: 1 } }] })
    const plain = wrapped()
    await direct(plain, request)
    await direct(plain, request)
    expect(server.requests).toHaveLength(2)
    const caching = wrapped({ toolCalls: 'cache' })
    const ids = []
    for (let i = 0; i < 3; i++) {
      const [item] = (await direct(caching, request)).output
      ids.push((item as { callId: string }).callId)
    }
    expect(server.requests).toHaveLength(3)
    expect(ids[0]).toBe('call_1')
    expect(new Set(ids).size).toBe(3)
  })

  it('does not cache what the provider keeps the state of', async () => {
    const model = wrapped()
    for (let i = 0; i < 2; i++) await direct(model, { ...request, conversationId: 'c' })
    for (let i = 0; i < 2; i++) await direct(model, { ...request, previousResponseId: 'r' })
    expect(server.requests).toHaveLength(4)
  })

  it('never gives a tenant or a model the answer of another', async () => {
    for (const tenant of ['a', 'b', 'a']) await ask(wrapped({ scope: { tenant } }))
    expect(server.requests).toHaveLength(2)
    const provider = cachedModelProvider(
      { getModel: (name) => real(name) },
      { cache, scope: 'global', name: 'p' },
    )
    for (const name of ['x', 'y', 'x']) await ask(await provider.getModel(name))
    expect(server.requests).toHaveLength(4)
  })

  describe('3. every field of ModelRequest', () => {
    const values: Record<string, unknown> = {
      systemInstructions: 'long',
      input: 'else',
      modelSettings: { temperature: 0.7 },
      tools: [{ type: 'function', name: 't', description: '', parameters: {}, strict: true }],
      toolsExplicitlyProvided: true,
      outputType: { type: 'json_schema', name: 'o', strict: true, schema: {} },
      handoffs: [{ toolName: 'h' }],
      tracing: true,
      signal: new AbortController().signal,
      prompt: { promptId: 'p' },
      overridePromptModel: true,
      previousResponseId: 'r',
      conversationId: 'c',
    }
    const file = join(import.meta.dirname, '../node_modules/@openai/agents-core/dist/model.d.ts')
    const body = /type ModelRequest = \{([\s\S]*?)\n\};/u.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
    const fields = [...body.matchAll(/^ {4}(\w+)\??:/gmu)].map(([, name]) => name as string)
    it.each(fields)('%s is of the key, or of the transport', async (field) => {
      expect(
        values,
        `classify ${field}: give it a value here, and name it in transportFields if it is no part of the question`,
      ).toHaveProperty(field)
      let asked = 0
      const inner = {
        getResponse: async () => {
          asked++
          return { usage: new Usage(), output: [] }
        },
      } as unknown as Model
      const model = cachedModel(inner, { cache, scope: 'global', name: 'm' })
      await model.getResponse(request)
      await model.getResponse(request)
      expect(asked).toBe(1)
      await model.getResponse({ ...request, [field]: values[field] })
      expect(asked).toBe(transportFields.includes(field) ? 1 : 2)
    })
  })
})
