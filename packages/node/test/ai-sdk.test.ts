import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Cache, createCache, systemClock } from '@flow-cache/core'
import { mapStore } from '@flow-cache/core/testing'
import { startModelServer } from '@flow-cache/model-server'
import * as ai5 from 'ai-5'
import * as ai6 from 'ai-6'
import * as ai7 from 'ai-7'
import { createOpenAICompatible as provider5 } from 'openai-compatible-1'
import { createOpenAICompatible as provider6 } from 'openai-compatible-2'
import { createOpenAICompatible as provider7 } from 'openai-compatible-3'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aiSdkCache, cacheEmbeddings, cacheTool, transportFields } from '@flow-cache/node/ai-sdk'
import { caches } from './caches.js'

const server = await startModelServer()
afterAll(async () => server.close())

// The three majors differ in their types and agree in what is used here; ai-7 says that it wants Node 22 and runs on 20.
type Sdk = typeof ai7
const majors = [
  { major: 5, ai: ai5 as unknown as Sdk, create: provider5 as unknown as typeof provider7, spec: 'V2' },
  { major: 6, ai: ai6 as unknown as Sdk, create: provider6 as unknown as typeof provider7, spec: 'V3' },
  { major: 7, ai: ai7, create: provider7, spec: 'V4' },
]

const combinations = majors.flatMap((sdk) =>
  Object.keys(caches).map((kind) => [sdk.major, kind, sdk] as const),
)

/** The names of a type's own fields, as its package publishes it. */
function fieldsOf(major: number, type: string): string[] {
  const require = createRequire(
    realpathSync(join(import.meta.dirname, `../node_modules/ai-${major}/package.json`)),
  )
  const file = join(dirname(require.resolve('@ai-sdk/provider')), 'index.d.ts')
  const text = readFileSync(file, 'utf8')
  const start = text.search(new RegExp(`type ${type} = \\{`))
  if (start < 0) throw new Error(`${type} is not in ${file}`)
  const body = text.slice(text.indexOf('{', start) + 1)
  const names: string[] = []
  let depth = 0
  for (const line of body.replaceAll(/\/\*[\s\S]*?\*\//gu, '').split('\n')) {
    const name = /^\s*(?:readonly )?(\w+)\??:/u.exec(line)?.[1]
    if (depth === 0 && name !== undefined) names.push(name)
    depth += (line.match(/[{(<[]/gu) ?? []).length - (line.match(/(?<!=)[})>\]]/gu) ?? []).length
    if (depth < 0) break
  }
  return names
}

describe.each(combinations)('AI SDK %i on %s', (major, kind, { ai, create, spec }) => {
  let cache: Cache
  beforeEach(() => {
    server.reset()
    cache = caches[kind]!()
  })
  afterEach(async () => cache.close())

  const wrapped = (options: Partial<Parameters<typeof aiSdkCache>[0]> = {}, modelId = 'm') =>
    ai.wrapLanguageModel({
      model: create({ name: 'test', baseURL: server.url, apiKey: 'sk-secret', includeUsage: true })(modelId),
      middleware: aiSdkCache({ cache, scope: 'global', ...options }) as never,
    })
  const ask = async (model: ReturnType<typeof wrapped>, more: object = {}) =>
    ai.generateText({ model, prompt: 'hi', maxRetries: 0, ...more })
  const read = async (model: ReturnType<typeof wrapped>, more: object = {}) => {
    const result = ai.streamText({ model, prompt: 'hi', maxRetries: 0, onError: () => {}, ...more })
    let text = ''
    for await (const delta of result.textStream) text += delta
    return text
  }

  it('asks once for the same question, and reports no usage on the hit', async () => {
    const model = wrapped()
    const first = await ask(model)
    const second = await ask(model)
    expect(second.text).toBe(first.text)
    expect(server.requests).toHaveLength(1)
    expect(first.usage).toMatchObject({ inputTokens: 10, outputTokens: 3 })
    expect(second.usage).toMatchObject({ inputTokens: 0, outputTokens: 0 })
    expect(second.providerMetadata?.['flowCache']).toMatchObject({
      hit: true,
      savedInputTokens: 10,
      savedOutputTokens: 3,
    })
    expect(second.response.id).not.toBe(first.response.id)
  })

  it('3. hits whatever the headers and signals are', async () => {
    const model = wrapped()
    await ask(model, { headers: { traceparent: '1' } })
    await ask(model, { headers: { traceparent: '2' }, abortSignal: new AbortController().signal })
    expect(server.requests).toHaveLength(1)
  })

  it('1. twenty streams at once cost one request, and a later one none', async () => {
    const model = wrapped()
    server.next({ text: 'one two three' })
    const all = await Promise.all(Array.from({ length: 20 }, async () => read(model)))
    expect(new Set(all)).toEqual(new Set(['one two three']))
    expect(await read(model)).toBe('one two three')
    expect(server.requests).toHaveLength(1)
  })

  it('reports no usage on the hit of a stream', async () => {
    const model = wrapped()
    await read(model)
    const result = ai.streamText({ model, prompt: 'hi' })
    await result.consumeStream()
    expect(await result.usage).toMatchObject({ inputTokens: 0, outputTokens: 0 })
    expect((await result.providerMetadata)?.['flowCache']).toMatchObject({ hit: true, savedInputTokens: 10 })
  })

  it.each([
    ['cut', { cutAfter: 1, text: 'a b c' }],
    ['broken off by an error', { errorAfter: 1, text: 'a b c' }],
    ['ended without a reason', { finish: null }],
    ['ended for length', { finish: 'length' }],
    ['filtered', { finish: 'content_filter' }],
  ])('2. does not keep a stream that was %s', async (_, script) => {
    const model = wrapped()
    server.next(script)
    await read(model).catch(() => '')
    server.next({ text: 'whole' })
    expect(await read(model)).toBe('whole')
    expect(server.requests).toHaveLength(2)
  })

  it('2. never replays an error', async () => {
    const model = wrapped()
    server.next({ error: { status: 500, message: 'down' } }, { cutAfter: 0 })
    await expect(ask(model)).rejects.toThrow(Error)
    await expect(ask(model)).rejects.toThrow(Error)
    await ask(model)
    expect(server.requests).toHaveLength(3)
  })

  it('1. lets the others finish when the first leaves, and leaves the server when all have', async () => {
    const model = wrapped()
    let open!: () => void
    const gate = new Promise<void>((resolve) => (open = resolve))
    server.next({ text: 'one two', beforeChunk: async (at) => (at === 1 ? gate : undefined) })
    const leaving = new AbortController()
    const first = read(model, { abortSignal: leaving.signal }).catch(() => '')
    const second = read(model)
    await expect.poll(() => server.requests.length).toBe(1)
    leaving.abort()
    await first
    open()
    expect(await second).toBe('one two')
    expect(server.requests).toHaveLength(1)

    server.next({ text: 'x y', beforeChunk: async (at) => (at === 1 ? new Promise(() => {}) : undefined) })
    const last = new AbortController()
    const alone = read(model, { prompt: 'other', abortSignal: last.signal }).catch(() => '')
    await expect.poll(() => server.requests.length).toBe(2)
    last.abort()
    await alone
    expect(await server.requests[1]?.aborted).toBe(true)
  })

  it('keeps calls of tools only where asked to, and gives them ids of their own', async () => {
    const tools = { look: ai.tool({ inputSchema: ai.jsonSchema({ type: 'object' }) }) }
    server.always({ toolCalls: [{ id: 'call_1', name: 'look', args: { at: 1 } }] })
    const plain = wrapped()
    await ask(plain, { tools })
    await ask(plain, { tools })
    expect(server.requests).toHaveLength(2)
    const caching = wrapped({ toolCalls: 'cache' })
    const first = await ask(caching, { tools })
    const second = await ask(caching, { tools })
    expect(server.requests).toHaveLength(3)
    expect(first.toolCalls[0]?.toolCallId).toBe('call_1')
    expect(second.toolCalls[0]?.input).toEqual({ at: 1 })
    expect(second.toolCalls[0]?.toolCallId).not.toBe('call_1')
  })

  it('never gives a tenant the answer of another', async () => {
    for (const tenant of ['a', 'b', 'a']) await ask(wrapped({ scope: { tenant } }))
    expect(server.requests).toHaveLength(2)
  })

  it('asks another model anew', async () => {
    await ask(wrapped({}, 'one'))
    await ask(wrapped({}, 'two'))
    expect(server.requests).toHaveLength(2)
  })

  it('stores nothing secret', async () => {
    let stored = ''
    const store = mapStore(systemClock)
    const watched = createCache({
      store: {
        ...store,
        set(key, entry) {
          stored += key + JSON.stringify(entry)
          return store.set(key, entry)
        },
      },
    })
    const model = wrapped({ cache: watched })
    await ask(model, { prompt: 'my question', headers: { 'x-token': 'hush' } })
    await read(model, { prompt: 'my question', headers: { 'x-token': 'hush' } })
    expect(stored).toContain('answer')
    for (const secret of ['sk-secret', 'hush', 'my question', 'keep-alive'])
      expect(stored).not.toContain(secret)
  })

  describe(`3. every field of LanguageModel${spec}CallOptions`, () => {
    const values: Record<string, unknown> = {
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'else' }] }],
      maxOutputTokens: 7,
      temperature: 0.7,
      stopSequences: ['x'],
      topP: 0.5,
      topK: 3,
      presencePenalty: 0.1,
      frequencyPenalty: 0.1,
      responseFormat: { type: 'json' },
      seed: 7,
      tools: [{ type: 'function', name: 't', inputSchema: { type: 'object' } }],
      toolChoice: { type: 'none' },
      reasoning: 'high',
      providerOptions: { test: { user: 'u' } },
      includeRawChunks: true,
      abortSignal: new AbortController().signal,
      headers: { a: 'b' },
    }
    it.each(fieldsOf(major, `LanguageModel${spec}CallOptions`))(
      '%s is of the key, or of the transport',
      async (field) => {
        expect(
          values,
          `classify ${field}: give it a value here, and name it in transportFields if it is no part of the question`,
        ).toHaveProperty(field)
        let asked = 0
        const model = {
          provider: 'p',
          modelId: 'm',
          doGenerate: async () => {
            asked++
            return { content: [{ type: 'text', text: 't' }], finishReason: 'stop', usage: {}, warnings: [] }
          },
        }
        const middleware = aiSdkCache({ cache, scope: 'global' })
        const params = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }
        await middleware.wrapGenerate({ params, model })
        await middleware.wrapGenerate({ params, model })
        expect(asked).toBe(1)
        await middleware.wrapGenerate({ params: { ...params, [field]: values[field] }, model })
        expect(asked).toBe(transportFields.includes(field) ? 1 : 2)
      },
    )
  })

  it('12. embeds only what is missing, where there is a middleware for embeddings', async () => {
    expect('wrapEmbeddingModel' in ai).toBe(major > 5)
    if (major === 5) return
    const model = ai.wrapEmbeddingModel({
      model: create({ name: 'test', baseURL: server.url }).embeddingModel('e'),
      middleware: cacheEmbeddings({ cache, scope: 'global' }) as never,
    })
    const { embeddings } = await ai.embedMany({ model, values: ['a', 'bb'] })
    const mixed = await ai.embedMany({ model, values: ['ccc', 'bb', 'a'] })
    expect(mixed.embeddings.slice(1)).toEqual([embeddings[1], embeddings[0]])
    expect(server.requests.map(({ body }) => body['input'])).toEqual([['a', 'bb'], ['ccc']])
  })

  // There is no middleware for embeddings before version 6.
  const withEmbeddings = major > 5 ? [spec] : []
  describe.each(withEmbeddings)('3. every field of EmbeddingModel%sCallOptions', () => {
    const values: Record<string, unknown> = {
      values: ['else'],
      dimensions: 7,
      providerOptions: { test: { user: 'u' } },
      abortSignal: new AbortController().signal,
      headers: { a: 'b' },
    }
    const fields = major > 5 ? fieldsOf(major, `EmbeddingModel${spec}CallOptions`) : []
    it.each(fields)('%s is of the key, or of the transport', async (field) => {
      expect(
        values,
        `classify ${field}: give it a value here, and name it in transportFields if it is no part of the question`,
      ).toHaveProperty(field)
      let asked = 0
      const model = {
        provider: 'p',
        modelId: 'm',
        doEmbed: async () => {
          asked++
          return { embeddings: [[1]] }
        },
      }
      const middleware = cacheEmbeddings({ cache, scope: 'global' })
      const params = { values: ['hi'] }
      await middleware.wrapEmbed({ params, model })
      await middleware.wrapEmbed({ params, model })
      expect(asked).toBe(1)
      await middleware.wrapEmbed({ params: { ...params, [field]: values[field] }, model })
      expect(asked).toBe(transportFields.includes(field) ? 1 : 2)
    })
  })

  it.each(withEmbeddings)('never gives a tenant or a model the embedding of another (%s)', async () => {
    const embed = async (tenant: string, modelId: string) => {
      const middleware = cacheEmbeddings({ cache, scope: { tenant } }) as never
      const model = create({ name: 'test', baseURL: server.url }).embeddingModel(modelId)
      await ai.embed({ model: ai.wrapEmbeddingModel({ model, middleware }), value: 'a' })
    }
    for (const tenant of ['a', 'b', 'a']) await embed(tenant, 'e')
    expect(server.requests).toHaveLength(2)
    for (const model of ['f', 'g', 'f']) await embed('a', model)
    expect(server.requests).toHaveLength(4)
  })

  it("goes by a tool's code with version: 'source'", async () => {
    const run = async (execute: () => string) => {
      const tool = ai.tool({ inputSchema: ai.jsonSchema<object>({ type: 'object' }), execute })
      const cached = cacheTool(tool, { cache, scope: 'global', name: 'look', version: 'source' })
      return cached.execute?.({}, { toolCallId: 'a', messages: [] } as never)
    }
    expect([await run(() => 'one'), await run(() => 'two')]).toEqual(['one', 'two'])
  })

  it('runs a tool once for the same input', async () => {
    let runs = 0
    const execute = async ({ at }: { at: number }) => ({ at, run: ++runs })
    const tool = ai.tool({ inputSchema: ai.jsonSchema<{ at: number }>({ type: 'object' }), execute })
    const cached = cacheTool(tool, { cache, scope: 'global', name: 'look' })
    const call = async (at: number, toolCallId: string) =>
      cached.execute?.({ at }, { toolCallId, messages: [] } as never)
    expect([await call(1, 'a'), await call(1, 'b'), await call(2, 'c')]).toEqual([
      { at: 1, run: 1 },
      { at: 1, run: 1 },
      { at: 2, run: 2 },
    ])
  })
})
