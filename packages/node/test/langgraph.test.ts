import { createCache, keyOf } from '@flow-cache/core'
import { fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { cachedNode, conversation, flowKey, langGraphCache } from '@flow-cache/node/langgraph'
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import {
  Annotation,
  Command,
  END,
  GraphInterrupt,
  interrupt,
  type LangGraphRunnableConfig,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { caches } from './caches.js'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })
const State = Annotation.Root({ question: Annotation<unknown>, answer: Annotation<unknown> })
type S = typeof State.State
const global = { graph: 'g', version: '1', scope: 'global' } as const

/** A graph of one node, with LangGraph's own cache policy. */
function graphOf(fn: (state: S, config: LangGraphRunnableConfig) => unknown, policy: object = {}) {
  return new StateGraph(State)
    .addNode('work', fn as never, { cachePolicy: { keyFunc: flowKey, ...policy } })
    .addEdge(START, 'work')
    .addEdge('work', END)
}

describe.each(Object.keys(caches))('langGraphCache on %s', (kind) => {
  it('runs a node once for the same input, and gives messages, dates, maps and bytes as they were', async () => {
    await using cache = caches[kind]!()
    let runs = 0
    const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 }
    const answer = {
      message: new AIMessage({
        content: 'hi',
        id: 'm1',
        tool_calls: [{ name: 't', args: { x: 1 }, id: 'c1' }],
        usage_metadata: usage as never,
      }),
      at: new Date(5),
      map: new Map([['a', 1]]),
      bytes: new Uint8Array([1, 2]),
    }
    const graph = graphOf(() => (runs++, { answer })).compile({ cache: langGraphCache({ cache, ...global }) })
    const first = await graph.invoke({ question: 'q' })
    await cache.drain()
    const second = await graph.invoke({ question: 'q' })
    expect(runs).toBe(1)
    expect(second).toEqual(first)
    const { message } = second.answer as typeof answer
    expect(message).toBeInstanceOf(AIMessage)
    expect(message).not.toBe((first.answer as typeof answer).message)
    expect(message.usage_metadata).toEqual(usage)
    expect(message.tool_calls).toEqual(answer.message.tool_calls)
  })
})

describe('langGraphCache', () => {
  it('keeps graphs, versions and tenants apart', async () => {
    const cache = open()
    let runs = 0
    const builder = graphOf(() => ({ answer: ++runs }))
    const answers: unknown[] = []
    for (const own of [
      global,
      { ...global, graph: 'h' },
      { ...global, version: '2' },
      { ...global, scope: { tenant: 'a' } },
      { ...global, scope: { tenant: 'b' } },
      { ...global, scope: { tenant: 'a' } },
    ]) {
      const graph = builder.compile({ cache: langGraphCache({ cache, ...own }) })
      answers.push((await graph.invoke({ question: 'q' })).answer)
      await cache.drain()
    }
    expect(answers).toEqual([1, 2, 3, 4, 5, 4])
  })

  it('keeps neither errors, interrupts, nor what was answered after one', async () => {
    const cache = open()
    let runs = 0
    const fails = graphOf(() => {
      if (++runs === 1) throw new Error('first')
      return { answer: runs }
    }).compile({ cache: langGraphCache({ cache, ...global }) })
    await expect(fails.invoke({ question: 'q' })).rejects.toThrow('first')
    expect((await fails.invoke({ question: 'q' })).answer).toBe(2)

    const asks = graphOf(() => ({ answer: interrupt('sure?') })).compile({
      cache: langGraphCache({ cache, ...global, graph: 'asks' }),
      checkpointer: new MemorySaver(),
    })
    for (const [thread, answer] of [
      ['1', 'yes'],
      ['2', 'no'],
    ] as const) {
      const config = { configurable: { thread_id: thread } }
      expect(await asks.invoke({ question: 'q' }, config)).toHaveProperty('__interrupt__')
      expect((await asks.invoke(new Command({ resume: answer }), config)).answer).toBe(answer)
    }
  })

  it('replays where a node went on, by Command and by Send', async () => {
    const cache = open()
    let runs = 0
    const graph = new StateGraph(State)
      .addNode(
        'route',
        () => (
          runs++,
          new Command({ update: { question: 'again' }, goto: new Send('end', { question: 'sent' }) })
        ),
        { ends: ['end'], cachePolicy: { keyFunc: flowKey } },
      )
      .addNode('end', (state: S) => ({ answer: state.question }))
      .addEdge(START, 'route')
      .compile({ cache: langGraphCache({ cache, ...global }) })
    const first = await graph.invoke({ question: 'q' })
    await cache.drain()
    expect(await graph.invoke({ question: 'q' })).toEqual(first)
    expect(first.answer).toBe('sent')
    expect(runs).toBe(1)
  })

  it('counts the ttl of a policy in seconds, and its own where there is none', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    let runs = 0
    const graph = graphOf(() => ({ answer: ++runs }), { ttl: 60 }).compile({
      cache: langGraphCache({ cache, ...global, ttl: 1 }),
    })
    await graph.invoke({ question: 'q' })
    await cache.drain()
    await clock.advance(59_000)
    expect((await graph.invoke({ question: 'q' })).answer).toBe(1)
    await clock.advance(2_000)
    expect((await graph.invoke({ question: 'q' })).answer).toBe(2)
  })

  it('clears a namespace, or everything of the graph, and nothing else', async () => {
    const cache = open()
    const saver = langGraphCache({ cache, ...global })
    const other = langGraphCache({ cache, ...global, graph: 'h' })
    const key = (ns: string): [string[], string] => [[ns], 'k']
    const pair = (ns: string) => ({ key: key(ns), value: [['answer', ns]] })
    await saver.set([pair('a'), pair('b')])
    await other.set([pair('a')])
    await saver.clear([['a']])
    expect(await saver.get([key('a'), key('b')])).toEqual([pair('b')])
    await saver.clear([])
    expect(await saver.get([key('b')])).toEqual([])
    expect(await other.get([key('a')])).toEqual([pair('a')])
  })

  it('never rejects: a store that fails is a miss, and tells onError', async () => {
    const heard: string[] = []
    const cache = open()
    await cache.close()
    const saver = langGraphCache({ cache, ...global, onError: (_, during) => void heard.push(during) })
    const graph = graphOf(() => ({ answer: 1 })).compile({ cache: saver })
    expect((await graph.invoke({ question: 'q' })).answer).toBe(1)
    await saver.clear([])
    expect(heard).toEqual(['get', 'set', 'clear'])
  })

  it('does not keep what it could not give back, and keeps nothing of the input or the scope', async () => {
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
    class Client {
      readonly open = true
    }
    const errors: unknown[] = []
    const scope = { tenant: 'SECRET-1' }
    const saver = langGraphCache({ cache, ...global, scope, onError: (error) => void errors.push(error) })
    await graphOf(() => ({ answer: new Client() }))
      .compile({ cache: saver })
      .invoke({ question: 'SECRET-2' })
    expect(kept).toEqual([])
    expect(String(errors[0])).toContain('Client')
    await graphOf(() => ({ answer: 1 }))
      .compile({ cache: saver })
      .invoke({ question: 'SECRET-2' })
    expect(kept).not.toEqual([])
    expect(kept.join()).not.toContain('SECRET')
  })

  it('removes an entry that is not what was written under its key', async () => {
    const cache = open()
    const saver = langGraphCache({ cache, ...global })
    const key: [string[], string] = [['a'], 'k']
    await saver.set([{ key, value: [['answer', 1]] }])
    const whose = keyOf(['flow-cache/langgraph', undefined, 'g', '1', 'global'])
    const space = cache.namespace(`langgraph.g.${whose}`).namespace(keyOf(['a']))
    expect(await space.has(keyOf(key))).toBe(true)
    await space.set(keyOf(key), { format: 1, key: 'other', writes: [] })
    expect(await saver.get([key])).toEqual([])
    expect(await space.has(keyOf(key))).toBe(false)
  })

  it.each([
    [{ graph: '' }, 'graph'],
    [{ version: undefined }, 'version'],
    [{ scope: undefined }, 'scope'],
    [{ scope: {} }, 'scope'],
    [{ cache: {} }, 'cache'],
    [{ tll: 1 }, 'tll'],
  ])('refuses %j', (wrong, name) => {
    expect(() => langGraphCache({ cache: open(), ...global, ...(wrong as object) })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    )
  })
})

describe('flowKey', () => {
  it('tells maps, sets and typed arrays by content, not names by their order, and refuses NaN', () => {
    expect(flowKey([new Map([['a', 1]])])).not.toBe(flowKey([new Map()]))
    expect(flowKey([new Float32Array([1])])).not.toBe(flowKey([new Float64Array([1])]))
    expect(flowKey([{ a: 1, b: 2 }])).toBe(flowKey([{ b: 2, a: 1 }]))
    expect(() => flowKey([Number.NaN])).toThrow('NaN')
  })

  it('4. tells a conversation from one message that looks like it, and a message from data that does', () => {
    const three = [new HumanMessage('x'), new AIMessage('ok'), new HumanMessage('y')]
    expect(flowKey([three])).not.toBe(flowKey([[new HumanMessage('x\nAI: ok\nHuman: y')]]))
    const message = new HumanMessage('x')
    expect(flowKey([message])).not.toBe(flowKey([Object.fromEntries(Object.entries(message))]))
    const forged = { $shape: 'HumanMessage', fields: { content: 'x' } }
    expect(flowKey([forged])).not.toBe(flowKey([message]))
  })

  it('leaves ids of messages and of tool calls out where asked to', () => {
    const talk = (id: string, name = 't') => [
      new HumanMessage({ content: 'x', id }),
      new AIMessage({ content: '', id: `${id}a`, tool_calls: [{ name, args: {}, id: `${id}c` }] }),
      new ToolMessage({ content: 'r', tool_call_id: `${id}c`, id: `${id}t` }),
    ]
    expect(flowKey(talk('1'))).not.toBe(flowKey(talk('2')))
    expect(flowKey([conversation(talk('1'))])).toBe(flowKey([conversation(talk('2'))]))
    expect(flowKey([conversation(talk('1'))])).not.toBe(flowKey([conversation(talk('1', 'u'))]))
  })
})

/** A graph of one node that caches itself. */
const around = (node: unknown) =>
  new StateGraph(State)
    .addNode('work', node as never)
    .addEdge(START, 'work')
    .addEdge('work', END)

describe.each(Object.keys(caches))('cachedNode on %s', (kind) => {
  it('twenty graphs at once cost one run, and none is given what another changed', async () => {
    await using cache = caches[kind]!()
    let runs = 0
    const door = gate()
    const work = cachedNode(
      async () => {
        runs++
        await door.wait()
        return { answer: new AIMessage('hi') }
      },
      { cache, name: 'work', scope: 'global' },
    )
    const graph = around(work).compile()
    const all = Array.from({ length: 20 }, async () => graph.invoke({ question: 'q' }))
    door.open()
    const answers = (await Promise.all(all)).map(({ answer }) => answer as AIMessage)
    answers[0]!.content = 'changed'
    const hit = await graph.invoke({ question: 'q' })
    expect((hit.answer as AIMessage).content).toBe('hi')
    expect(answers.slice(1).every((each) => each.content === 'hi' && each instanceof AIMessage)).toBe(true)
    expect(runs).toBe(1)
    expect(work.report()).toMatchObject({ hits: 1 })
  })
})

describe('cachedNode', () => {
  it('lets a node read only what its key knows of, and never gives one tenant the answer of another', async () => {
    const cache = open()
    const hello = cachedNode(
      (_state: S, { configurable }) => ({
        answer: `${configurable?.['tenant']}/${configurable?.['locale']}`,
      }),
      {
        cache,
        name: 'hello',
        scope: ({ configurable }) => ({ tenant: configurable?.['tenant'] as string }),
        reads: ['locale', 'tenant'],
      },
    )
    const ask = async (configurable: object) =>
      (await around(hello).compile().invoke({ question: 'q' }, { configurable })).answer
    expect(await ask({ tenant: 'a', locale: 'en' })).toBe('a/en')
    expect(await ask({ tenant: 'b', locale: 'en' })).toBe('b/en')
    expect(await ask({ tenant: 'b', locale: 'de' })).toBe('b/de')
    expect(await ask({ tenant: 'a', locale: 'en' })).toBe('a/en')
    expect(hello.report()).toMatchObject({ hits: 1, misses: 3 })
    await expect(ask({ locale: 'en' })).rejects.toThrow('scope.tenant')

    const reads = cachedNode(
      (_state: S, { configurable }) => ({ answer: configurable?.['user'] as unknown }),
      {
        cache,
        name: 'reads',
        scope: 'global',
      },
    )
    await expect(
      around(reads)
        .compile()
        .invoke({ question: 'q' }, { configurable: { user: 'bob' } }),
    ).rejects.toMatchObject({ code: 'ERR_UNDECLARED_READ', variable: 'user' })
  })

  it('runs graphs and models inside as they are', async () => {
    const inner = around(() => ({ answer: 'inner' })).compile()
    const work = cachedNode(async (state: S, config) => inner.invoke(state, config), {
      cache: open(),
      name: 'work',
      scope: 'global',
    })
    const graph = around(work).compile({ checkpointer: new MemorySaver() })
    for (const thread of ['1', '2']) {
      const config = { configurable: { thread_id: thread } }
      expect((await graph.invoke({ question: 'q' }, config)).answer).toBe('inner')
    }
    expect(work.report()).toMatchObject({ hits: 1, misses: 1 })
  })

  it('tells on a hit what was written while it ran, and goes where it went', async () => {
    const work = cachedNode(
      (_state: S, { writer }) => {
        writer?.({ part: 1 })
        return new Command({ update: { question: 'routed' }, goto: 'end' })
      },
      { cache: open(), name: 'work', scope: 'global' },
    )
    const graph = new StateGraph(State)
      .addNode('work', work, { ends: ['end'] })
      .addNode('end', ({ question }: S) => ({ answer: question }))
      .addEdge(START, 'work')
      .compile()
    const told = async () => {
      const chunks: unknown[] = []
      for await (const chunk of await graph.stream({ question: 'q' }, { streamMode: ['custom', 'values'] }))
        chunks.push(chunk)
      return chunks
    }
    const first = await told()
    expect(first).toContainEqual(['custom', { part: 1 }])
    expect(first.at(-1)).toEqual(['values', { question: 'routed', answer: 'routed' }])
    expect(await told()).toEqual(first)
    expect(work.report()).toMatchObject({ hits: 1, misses: 1 })
  })

  it('keeps neither errors nor interrupts, and asks each thread for itself', async () => {
    const cache = open()
    let runs = 0
    const fails = cachedNode(
      () => {
        if (++runs === 1) throw new Error('first')
        return { answer: runs }
      },
      { cache, name: 'fails', scope: 'global' },
    )
    await expect(around(fails).compile().invoke({ question: 'q' })).rejects.toThrow('first')
    expect((await around(fails).compile().invoke({ question: 'q' })).answer).toBe(2)

    const asks = cachedNode(async () => ({ answer: interrupt<string, unknown>('sure?') }), {
      cache,
      name: 'asks',
      scope: 'global',
    })
    const graph = around(asks).compile({ checkpointer: new MemorySaver() })
    const threads = ['1', '2'].map((thread_id) => ({ configurable: { thread_id } }))
    const asked = await Promise.all(threads.map(async (config) => graph.invoke({ question: 'q' }, config)))
    for (const each of asked) expect(each).toHaveProperty('__interrupt__')
    for (const config of threads) {
      const { thread_id } = config.configurable
      expect((await graph.invoke(new Command({ resume: thread_id }), config)).answer).toBe(thread_id)
    }
  })

  it('asks again for a thread that shared a run which was interrupted', async () => {
    const door = gate()
    let runs = 0
    const asks = cachedNode(
      async () => {
        const id = `${++runs}`
        await door.wait()
        throw new GraphInterrupt([{ id, value: 'sure?' }])
      },
      { cache: open(), name: 'asks', scope: 'global' },
    )
    const both = Promise.allSettled([asks({}, {}), asks({}, {})])
    await door.arrived
    door.open()
    const ids = (await both).map((each) => (each as { reason?: GraphInterrupt }).reason?.interrupts[0]?.id)
    expect(new Set(ids)).toEqual(new Set(['1', '2']))
  })

  it("5. goes by its code with version: 'source'", async () => {
    const options = { cache: open(), name: 'n', scope: 'global', version: 'source' } as const
    const short = cachedNode((_state: object) => ({ text: 'short' }), options)
    const long = cachedNode((_state: object) => ({ text: 'long' }), options)
    for (let i = 0; i < 2; i++)
      expect([await short({}, {}), await long({}, {})]).toEqual([{ text: 'short' }, { text: 'long' }])
  })

  it('makes its key of what it is told to, and forgets it when asked', async () => {
    let runs = 0
    const work = cachedNode(
      (_state: typeof MessagesAnnotation.State) => (runs++, { messages: [new AIMessage('hi')] }),
      {
        cache: open(),
        name: 'work',
        scope: 'global',
        key: ({ messages }) => conversation(messages),
      },
    )
    const graph = new StateGraph(MessagesAnnotation).addNode('work', work).addEdge(START, 'work').compile()
    for (let i = 0; i < 3; i++) await graph.invoke({ messages: [new HumanMessage('x')] })
    expect(runs).toBe(1)
    expect(await work.invalidate({ messages: [new HumanMessage('x')] })).toBe(true)
    await graph.invoke({ messages: [new HumanMessage('x')] })
    expect(runs).toBe(2)
  })

  it('gives what cannot be stored to its caller, and a stream is an error', async () => {
    class Client {
      readonly open = true
    }
    const events: unknown[] = []
    const cache = open()
    const options = { cache, scope: 'global', onEvent: (event: unknown) => void events.push(event) } as const
    const client = cachedNode(() => ({ answer: new Client() }), { ...options, name: 'client' })
    const { answer } = await around(client).compile().invoke({ question: 'q' })
    expect(answer).toBeInstanceOf(Client)
    expect(events).toMatchObject([{ type: 'error', during: 'keep' }])
    const streams = cachedNode(() => new ReadableStream() as never, { ...options, name: 'streams' })
    await expect(streams({}, {})).rejects.toMatchObject({ code: 'ERR_STREAM' })
  })

  it('does what the control of a call says', async () => {
    let runs = 0
    const work = cachedNode(() => ({ answer: ++runs }), {
      cache: open(),
      name: 'work',
      scope: 'global',
      control: ({ configurable }) => configurable?.['cache'] as object,
    })
    const ask = async (mode: string) => work({ question: 'q' }, { configurable: { cache: { mode } } })
    await expect(ask('only-if-cached')).rejects.toMatchObject({ code: 'ERR_CACHE_MISS' })
    expect(await ask('default')).toEqual({ answer: 1 })
    expect(await ask('bypass')).toEqual({ answer: 2 })
    expect(await ask('refresh')).toEqual({ answer: 3 })
    expect(await ask('only-if-cached')).toEqual({ answer: 3 })
  })
})
