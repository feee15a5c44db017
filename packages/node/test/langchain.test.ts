import { randomUUID } from 'node:crypto'
import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { type Script, startModelServer } from '@flow-cache/model-server'
import {
  cachedModel,
  type CachedModelOptions,
  langChainCache,
  transportOptions,
} from '@flow-cache/node/langchain'
import { AIMessage, type AIMessageChunk, HumanMessage, SystemMessage } from '@langchain/core/messages'
import { concat } from '@langchain/core/utils/stream'
import { ChatOpenAI, type ChatOpenAICallOptions, type ChatOpenAIFields } from '@langchain/openai'
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
const model = (fields: ChatOpenAIFields = {}) =>
  new ChatOpenAI({
    model: 'm',
    apiKey: 'SECRET-KEY',
    maxRetries: 0,
    configuration: { baseURL: server.url },
    ...fields,
  })
const around = (options: Partial<CachedModelOptions> = {}, fields: ChatOpenAIFields = {}) =>
  cachedModel(model(fields), { cache: open(), scope: 'global', ...options })
const weather = {
  type: 'function',
  function: { name: 'weather', description: 'd', parameters: { type: 'object', properties: {} } },
} as const

/** Of usage that the type says nothing about. */
const totalOf = (message: { usage_metadata?: unknown }): number | undefined =>
  (message.usage_metadata as { total_tokens: number } | undefined)?.total_tokens

async function streamed(llm: { stream(input: string): Promise<AsyncIterable<AIMessageChunk>> }) {
  const texts: string[] = []
  let whole: AIMessageChunk | undefined
  for await (const chunk of await llm.stream('q')) {
    texts.push(chunk.text)
    whole = whole === undefined ? chunk : concat(whole, chunk)
  }
  return { texts: texts.filter((each) => each !== ''), whole: whole! }
}

describe.each(Object.keys(caches))('cachedModel on %s', (kind) => {
  it('1. asks the server once for twenty callers, and tells whoever did not pay that usage is 0', async () => {
    await using cache = caches[kind]!()
    const llm = around({ cache })
    const door = gate()
    server.always({ before: door.wait() })
    const all = Array.from({ length: 20 }, async () => llm.invoke('q'))
    door.open()
    const answers = await Promise.all(all)
    const hit = await llm.invoke('q')
    expect(server.requests).toHaveLength(1)
    expect(new Set([...answers, hit].map(({ text }) => text))).toEqual(new Set(['answer 1']))
    expect(answers.filter(({ usage_metadata }) => totalOf({ usage_metadata }) === 13)).toHaveLength(1)
    expect(hit.usage_metadata).toMatchObject({ input_tokens: 0, output_tokens: 0, total_tokens: 0 })
    expect(hit.response_metadata['flowCache']).toEqual({
      hit: true,
      savedInputTokens: 10,
      savedOutputTokens: 3,
    })
    expect(hit.response_metadata['finish_reason']).toBe('stop')
    expect(new Set([...answers, hit].map(({ id }) => id)).size).toBe(21)
  })

  it('1. streams to twenty callers from one request, and again from the cache', async () => {
    await using cache = caches[kind]!()
    const llm = around({ cache })
    server.always({ text: 'one two three' })
    const all = await Promise.all(Array.from({ length: 20 }, async () => streamed(llm)))
    const hit = await streamed(llm)
    expect(server.requests).toHaveLength(1)
    for (const { texts } of [...all, hit]) expect(texts).toEqual(['one ', 'two ', 'three'])
    expect(hit.whole.usage_metadata).toMatchObject({ total_tokens: 0 })
    expect(hit.whole.response_metadata['flowCache']).toMatchObject({ hit: true, savedInputTokens: 10 })
  })
})

describe('cachedModel', () => {
  it('keeps no error, no cut stream, and no answer that was cut short or filtered', async () => {
    const llm = around()
    server.always({ error: { status: 500, message: 'failed with 500' } })
    await expect(llm.invoke('q')).rejects.toThrow('500')
    server.always({ text: 'one two three', cutAfter: 1 })
    await expect(streamed(llm)).rejects.toThrow('terminated')
    server.always({ text: 'one two three' })
    expect((await llm.invoke('q')).text).toBe('one two three')
    expect((await streamed(llm)).texts).toHaveLength(3)
    expect(server.requests).toHaveLength(4)
    for (const finish of ['length', 'content_filter']) {
      server.always({ finish })
      const asked = server.requests.length
      for (let i = 0; i < 2; i++) await llm.invoke(finish)
      expect(server.requests).toHaveLength(asked + 2)
    }
  })

  it('keeps calls of tools only where asked to, and gives each hit ids of its own', async () => {
    server.always(callsTool)
    const without = around().bindTools([weather])
    for (let i = 0; i < 2; i++) await without.invoke('q')
    expect(server.requests).toHaveLength(2)

    const llm = around({ toolCalls: 'cache' }).bindTools([weather])
    const answers = [await llm.invoke('q'), await llm.invoke('q'), await llm.invoke('q')]
    expect(server.requests).toHaveLength(3)
    for (const { tool_calls } of answers)
      expect(tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Oslo' } }])
    expect(new Set(answers.map(({ tool_calls }) => tool_calls?.[0]?.id)).size).toBe(3)

    const chunks = [await streamed(llm as never), await streamed(llm as never)].map(({ whole }) => whole)
    expect(server.requests).toHaveLength(4)
    expect(chunks[1]?.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Oslo' } }])
    expect(chunks[1]?.tool_calls?.[0]?.id).not.toBe(chunks[0]?.tool_calls?.[0]?.id)
  })

  it('never gives one tenant the answer of another', async () => {
    const cache = open()
    for (const tenant of ['a', 'b', 'a', 'b']) await around({ cache, scope: { tenant } }).invoke('q')
    expect(server.requests).toHaveLength(2)
  })

  it('keeps the order of several prompts of which only some are cached', async () => {
    const llm = around()
    server.always((body) => ({ text: `to ${JSON.stringify(body['messages'])}` }))
    const one = [new HumanMessage('one')]
    const two = [new HumanMessage('two')]
    await llm.generate([two])
    const { generations } = await llm.generate([one, two])
    expect(generations.map((each) => each[0]?.text)).toEqual([
      expect.stringContaining('one'),
      expect.stringContaining('two'),
    ])
    expect(server.requests).toHaveLength(2)
  })

  it('4. tells a conversation from one message with the same text', async () => {
    const llm = around()
    await llm.invoke([new HumanMessage('x'), new AIMessage('ok'), new HumanMessage('y')])
    await llm.invoke('x\nAI: ok\nHuman: y')
    await llm.invoke([new SystemMessage('s'), new HumanMessage('x')])
    await llm.invoke('System: s\nHuman: x')
    expect(server.requests).toHaveLength(4)
  })

  it('asks again for another model, temperature, limit or stop, and another server', async () => {
    const cache = open()
    const other: ChatOpenAIFields[] = [
      {},
      { model: 'n' },
      { temperature: 0.5 },
      { maxTokens: 5 },
      { stop: ['x'] },
      { modelKwargs: { seed: 1 } },
      { configuration: { baseURL: `${server.url}/` } },
    ]
    for (const fields of other) await around({ cache }, fields).invoke('q')
    expect(server.requests).toHaveLength(other.length)
    for (const fields of other) await around({ cache }, fields).invoke('q')
    expect(server.requests).toHaveLength(other.length)
  })

  it('stores nothing of the prompt, the key of the provider, its headers or the scope', async () => {
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
    const llm = around({ cache, scope: { tenant: 'SECRET-TENANT' } })
    await llm.invoke('SECRET-PROMPT')
    await streamed(llm)
    expect(kept).not.toEqual([])
    expect(kept.join()).not.toContain('SECRET')
    expect(kept.join()).not.toContain(server.url)
  })

  it('answers although the cache is closed, and does what its control says', async () => {
    const cache = open()
    await cache.close()
    expect((await around({ cache }).invoke('q')).text).toBe('answer 1')
    const works = open()
    const only = around({ cache: works, control: { mode: 'only-if-cached' } })
    await expect(only.invoke('q')).rejects.toMatchObject({ code: 'ERR_CACHE_MISS' })
    await around({ cache: works }).invoke('q')
    expect((await only.invoke('q')).text).toBe('answer 2')
  })

  it('gives everybody a message of their own', async () => {
    const llm = around()
    ;(await llm.invoke('q')).content = 'changed'
    const hit = await llm.invoke('q')
    hit.response_metadata['x'] = 1
    hit.content = 'changed'
    const next = await llm.invoke('q')
    expect(next.text).toBe('answer 1')
    expect(next.response_metadata).not.toHaveProperty('x')
    expect(next).toBeInstanceOf(AIMessage)
  })

  it.each([
    [{ scope: undefined }, 'scope'],
    [{ scope: {} }, 'scope'],
    [{ cache: {} }, 'cache'],
    [{ finish: 'stop' }, 'finish'],
    [{ toolCalls: 'yes' }, 'toolCalls'],
    [{ tll: 1 }, 'tll'],
  ])('refuses %j', (wrong, name) => {
    expect(() => around(wrong as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) as string }),
    )
  })
})

/*
 * Every option a call may have, by the list of the type: one that a new version adds does not compile here until it
 * is said whether it belongs to the key, and with what value that is tried.
 */
type Sample = readonly [kind: 'key' | 'transport' | 'elsewhere', one: unknown, other: unknown]
const key = (one: unknown, other: unknown): Sample => ['key', one, other]
const transport = (one: unknown, other: unknown): Sample => ['transport', one, other]
/** Goes to an endpoint that the server does not have: two values are two requests. */
const elsewhere = (one: unknown, other: unknown): Sample => ['elsewhere', one, other]
const format = (name: string) => ({ type: 'json_schema', json_schema: { name, schema: { type: 'object' } } })
const samples: Record<keyof ChatOpenAICallOptions, Sample> = {
  audio: key({ voice: 'alloy', format: 'wav' }, { voice: 'echo', format: 'wav' }),
  callbacks: transport([], undefined),
  configurable: transport({ a: 1 }, { a: 2 }),
  function_call: key('auto', 'none'),
  functions: key([{ name: 'f' }], [{ name: 'g' }]),
  include: elsewhere(['reasoning.encrypted_content'], ['message.output_text.logprobs']),
  ls_structured_output_format: transport({ kwargs: {}, schema: {} }, undefined),
  maxConcurrency: transport(1, 2),
  maxRetries: transport(0, 1),
  metadata: transport({ a: 1 }, { a: 2 }),
  modalities: key(['text'], ['text', 'audio']),
  options: key({ query: { a: '1' } }, { query: { a: '2' } }),
  outputVersion: key('v0', 'v1'),
  parallel_tool_calls: key(true, false),
  prediction: key({ type: 'content', content: 'a' }, { type: 'content', content: 'b' }),
  previous_response_id: elsewhere('a', 'b'),
  promptCacheKey: key('a', 'b'),
  promptCacheRetention: key('in-memory', '24h'),
  promptIndex: transport(0, 1),
  reasoning: key({ effort: 'low' }, { effort: 'high' }),
  reasoningEffort: key('low', 'high'),
  recursionLimit: transport(5, 6),
  response_format: key(format('a'), format('b')),
  runId: transport(randomUUID(), randomUUID()),
  runName: transport('a', 'b'),
  seed: key(1, 2),
  service_tier: key('auto', 'flex'),
  signal: transport(new AbortController().signal, undefined),
  stop: key(['a'], ['b']),
  stream_options: key({ include_usage: true }, { include_usage: false }),
  strict: key(true, false),
  tags: transport(['a'], ['b']),
  text: elsewhere({ verbosity: 'low' }, { verbosity: 'high' }),
  timeout: transport(60_000, 61_000),
  tool_choice: key('auto', 'none'),
  tools: key([weather], [{ ...weather, function: { ...weather.function, description: 'other' } }]),
  truncation: elsewhere('auto', 'disabled'),
  verbosity: key('low', 'high'),
}

describe('3. every option of a call', () => {
  it.each(Object.entries(samples))('%s is in the key, or is not, as the list says', async (name, sample) => {
    const [kind, one, other] = sample
    server.always({ text: '{}' })
    const llm = around()
    const ask = async (value: unknown): Promise<unknown> => llm.invoke('q', { [name]: value })
    if (kind === 'elsewhere') await Promise.allSettled([ask(one), ask(other)])
    else for (const value of [one, other, one]) await ask(value)
    expect(server.requests).toHaveLength(kind === 'transport' ? 1 : 2)
    expect(transportOptions.includes(name)).toBe(kind === 'transport')
  })
})

describe('langChainCache', () => {
  const cached = (options: object = {}, fields: ChatOpenAIFields = {}) =>
    model({ ...fields, cache: langChainCache({ cache: open(), scope: 'global', ...options }) })

  it.each(Object.keys(caches))('answers the second call on %s, with a copy and usage of 0', async (kind) => {
    await using cache = caches[kind]!()
    const llm = cached({ cache })
    const first = await llm.invoke('q')
    expect(totalOf(first)).toBe(13)
    const hit = await llm.invoke('q')
    hit.content = 'changed'
    expect((await llm.invoke('q')).text).toBe('answer 1')
    expect(totalOf(hit)).toBe(0)
    expect(hit.response_metadata['flowCache']).toEqual({
      hit: true,
      savedInputTokens: 10,
      savedOutputTokens: 3,
    })
    expect(totalOf(first)).toBe(13)
    expect(server.requests).toHaveLength(1)
  })

  it('keeps no error and no answer that was cut short, and tenants apart', async () => {
    const cache = open()
    server.always({ error: { status: 500, message: 'failed with 500' } })
    await expect(cached({ cache }).invoke('q')).rejects.toThrow('500')
    server.always({ finish: 'length' })
    for (let i = 0; i < 2; i++) await cached({ cache }).invoke('q')
    expect(server.requests).toHaveLength(3)
    server.always({})
    for (const tenant of ['a', 'b', 'a', 'b']) await cached({ cache, scope: { tenant } }).invoke('q')
    expect(server.requests).toHaveLength(5)
  })

  it('keeps calls of tools only where asked to, with ids of their own', async () => {
    server.always(callsTool)
    for (let i = 0, llm = cached(); i < 2; i++) await llm.invoke('q')
    expect(server.requests).toHaveLength(2)
    const llm = cached({ toolCalls: 'cache' })
    const ids = [await llm.invoke('q'), await llm.invoke('q')].map(({ tool_calls }) => tool_calls?.[0]?.id)
    expect(server.requests).toHaveLength(3)
    expect(new Set(ids).size).toBe(2)
  })

  it('never fails a model: what went wrong is told to onError', async () => {
    const cache = open()
    await cache.close()
    const heard: string[] = []
    const llm = cached({ cache, onError: (_: unknown, during: string) => void heard.push(during) })
    expect((await llm.invoke('q')).text).toBe('answer 1')
    expect(heard).toEqual(['get', 'set'])
  })
})
