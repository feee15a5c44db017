import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import {
  CacheAsideNode,
  cacheFn,
  cacheMap,
  CacheNode,
  cacheNode,
  CachedWorkflowNode,
  defineNode,
  interrupt,
  registerBackend,
  route,
  runNode,
  workflow,
  type WorkflowEvent,
} from '@flow-cache/node'
import { describe, expect, it } from 'vitest'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })
const node = defineNode('n', (x: number) => x * 2)

describe('scope', () => {
  it.each([undefined, 'everyone', {}, { tenant: undefined }, { tenant: '' }, []])(
    '%j is a TypeError',
    (scope) => {
      expect(() => cacheNode(node, { cache: open(), scope: scope as 'global' })).toThrow(TypeError)
    },
  )

  it('that a call has no tenant for fails the call', async () => {
    const cached = cacheNode(node, {
      cache: open(),
      scope: ({ workflow }) => ({ tenant: workflow.scope?.['tenant'] as string }),
    })
    const result = await runNode(cached, 1)
    expect(result).toMatchObject({ success: false })
    expect(result.success ? '' : result.error.message).toContain('scope.tenant')
  })

  it('that is a promise says so: a scope function answers at once', async () => {
    const later = (async () => Promise.reject(new Error('late'))) as unknown as () => { tenant: string }
    const message = 'scope is a promise'
    const cached = cacheNode(node, { cache: open(), scope: later })
    expect(await runNode(cached, 1)).toMatchObject({
      error: { message: expect.stringContaining(message) as string },
    })
    const fn = cacheFn((x: number) => x, { cache: open(), name: 'f', scope: later })
    await expect(fn(1)).rejects.toThrow(message)
  })

  it('a cached node sees nothing of the scope but what its key has', async () => {
    const sees = defineNode('sees', (_: number, { workflow }) => workflow.scope)
    const cached = cacheNode(sees, { cache: open(), scope: { tenant: 'a' } })
    expect(await runNode(cached, 1, { scope: { tenant: 'a', user: 'bob' } })).toMatchObject({
      output: { tenant: 'a' },
    })
  })
})

describe('what is stored', () => {
  it('holds neither the input, the scope, nor the variables', async () => {
    const clock = fakeClock()
    const store = mapStore(clock)
    const kept: string[] = []
    const cache = createCache({
      clock,
      store: {
        ...store,
        set(key, entry) {
          kept.push(key, JSON.stringify(entry.value))
          return store.set(key, entry)
        },
      },
    })
    const reads = defineNode('n', (_: unknown, { workflow }) => workflow.variables.has('token'))
    const cached = cacheNode(reads, { cache, scope: { tenant: 'SECRET-1' }, reads: ['token'] })
    await runNode(cached, { headers: { authorization: 'SECRET-2' } }, { variables: { token: 'SECRET-3' } })
    expect(kept).not.toEqual([])
    expect(kept.join()).not.toContain('SECRET')
  })
})

describe('emitted chunks and reasons', () => {
  it('are told again on a hit, and a miss says what changed', async () => {
    const cache = open()
    const emits = defineNode('n', (x: number, context) => {
      context.emit(`part ${x}`)
      return x
    })
    const cached = cacheNode(emits, { cache, scope: 'global' })
    const told: unknown[] = []
    const call = async (x: number) => runNode(cached, x, { onChunk: (chunk) => told.push(chunk) })
    expect(await call(1)).toMatchObject({ metadata: { cache: { reason: 'cold' } } })
    await call(1)
    expect(told).toEqual(['part 1', 'part 1'])
    expect(await call(2)).toMatchObject({ metadata: { cache: { reason: 'inputs' } } })
  })
})

describe('ttl, stale and failures', () => {
  it('an old answer stands in for a failing node, and is served while a new one is made', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    let fails = false
    const cached = cacheNode(
      defineNode('n', () => {
        if (fails) throw new Error('down')
        return 'old'
      }),
      { cache, clock, scope: 'global', ttl: '1s', staleIfError: '1h' },
    )
    await runNode(cached, 1)
    fails = true
    await clock.advance(2_000)
    expect(await runNode(cached, 1)).toMatchObject({
      output: 'old',
      metadata: { cache: { status: 'stale' } },
    })
  })

  it('concurrent callers share a failure, and the next one runs again', async () => {
    let runs = 0
    const fails = {
      id: 'f',
      execute: async () => ({ success: false as const, error: { message: `no ${++runs}` } }),
    }
    const cached = cacheNode(fails, { cache: open(), scope: 'global' })
    const results = await Promise.all([runNode(cached, 1), runNode(cached, 1)])
    for (const result of results) expect(result).toMatchObject({ success: false, error: { message: 'no 1' } })
    expect(await runNode(cached, 1)).toMatchObject({ error: { message: 'no 2' } })
  })

  it('negativeTtl remembers a failure', async () => {
    let runs = 0
    const fails = {
      id: 'f',
      execute: async () => ({ success: false as const, error: { message: `no ${++runs}` } }),
    }
    const cached = cacheNode(fails, { cache: open(), scope: 'global', negativeTtl: () => '1m' })
    await runNode(cached, 1)
    expect(await runNode(cached, 1)).toMatchObject({
      error: { message: 'no 1' },
      metadata: { cache: { status: 'hit' } },
    })
  })
})

describe('cacheFn', () => {
  it('a hundred callers cost one call, and what it throws is thrown as it is', async () => {
    let calls = 0
    const fn = cacheFn(async (x: number) => ({ x, call: ++calls }), {
      cache: open(),
      name: 'f',
      scope: 'global',
    })
    const all = await Promise.all(Array.from({ length: 100 }, async () => fn(1)))
    expect(calls).toBe(1)
    expect(new Set(all).size).toBe(100)
    const error = new TypeError('mine')
    const throws = cacheFn(() => Promise.reject(error), { cache: open(), name: 'g', scope: 'global' })
    await expect(throws()).rejects.toBe(error)
    await expect(fn.ask({ mode: 'only-if-cached' }, 2)).rejects.toMatchObject({ code: 'ERR_CACHE_MISS' })
  })
})

describe('workflow', () => {
  it('runs branches at once, joins them, and follows routes', async () => {
    const flow = workflow({
      id: 'w',
      nodes: [
        defineNode('in', (x: number) => x),
        defineNode('a', (x: number) => x + 1),
        defineNode('b', (x: number) => x * 10),
        defineNode('join', ({ a, b }: { a: number; b: number }) =>
          route(a + b > 20 ? 'big' : 'small', a + b),
        ),
        defineNode('big', (x: number) => `big ${x}`),
        defineNode('small', (x: number) => `small ${x}`),
      ],
      edges: { in: ['a', 'b'], a: 'join', b: 'join' },
      routes: { join: ['big', 'small'] },
    })
    expect(await flow.run(1)).toMatchObject({ status: 'success', output: 'small 12' })
    const result = await flow.run(2)
    expect(result).toMatchObject({ output: 'big 23', path: ['in', 'a', 'b', 'join', 'big'] })
  })

  it('is interrupted, and goes on from its snapshot with the answer', async () => {
    const flow = workflow({
      id: 'w',
      nodes: [
        defineNode('ask', () => interrupt('sure?')),
        defineNode('do', (answer: string) => `did ${answer}`),
      ],
    })
    const stopped = await flow.run(1, { variables: { v: 1 } })
    expect(stopped).toMatchObject({ status: 'interrupted', interrupt: { reason: 'sure?', nodeId: 'ask' } })
    const snapshot = JSON.parse(JSON.stringify(stopped.snapshot)) as NonNullable<typeof stopped.snapshot>
    expect(await flow.resume(snapshot, 'it')).toMatchObject({ output: 'did it', variables: { v: 1 } })
  })

  it('that fails keeps what was done before', async () => {
    const cache = open()
    let runs = 0
    let fails = true
    const first = cacheNode(
      defineNode('first', () => ++runs),
      { cache, scope: 'global' },
    )
    const second = defineNode('second', (x: number) => {
      if (fails) throw new Error('no')
      return x
    })
    const flow = workflow({ id: 'w', nodes: [first, second] })
    expect(await flow.run(0)).toMatchObject({ status: 'failed', error: { nodeId: 'second', message: 'no' } })
    fails = false
    expect(await flow.run(0)).toMatchObject({ output: 1, nodes: { first: { cache: { status: 'hit' } } } })
  })

  it('tells of everything, streams included', async () => {
    const flow = workflow({
      id: 'w',
      nodes: [
        defineNode('s', async function () {
          return (async function* () {
            yield 'a'
            yield 'b'
          })()
        }),
      ],
    })
    const events: WorkflowEvent[] = []
    for await (const event of flow.stream(1)) events.push(event)
    const types = ['workflow-start', 'node-start', 'chunk', 'chunk', 'node-end', 'workflow-end']
    expect(events.map((event) => event.type)).toEqual(types)
    expect(events.at(-1)).toMatchObject({ result: { output: 'ab' } })
  })

  it.each([
    ['two nodes', { nodes: [node, node] }],
    ['no such node', { nodes: [node], edges: { n: 'x' } }],
    ['nothing leads', { nodes: [node, defineNode('m', () => 1)], edges: {} }],
    ['circle', { nodes: [node, defineNode('m', () => 1)], edges: { n: 'm', m: 'n' } }],
  ])('that is put together wrong is refused: %s', (message, options) => {
    expect(() => workflow({ id: 'w', ...options })).toThrow(message)
  })

  it.each<[string, object]>([
    ['maxVisits must be 1 or more, got 0', { maxVisits: 0 }],
    ['maxVisits must be 1 or more, got NaN', { maxVisits: NaN }],
    ["routes['n'] must be an array of the ids of nodes, got object", { routes: { n: { ok: 'n' } } }],
    ["routes['n'] must be an array of the ids of nodes, got 'n'", { routes: { n: 'n' } }],
    ["edges['n'] must be the id of a node, or an array of ids, got object", { edges: { n: { ok: 'n' } } }],
    ['edges must be an object, got null', { edges: null }],
    ['routes must be an object, got null', { routes: null }],
    ['nodes must be an array of nodes, got undefined', { nodes: undefined }],
    ["a node's id must be a non-empty string, got undefined", { nodes: [{}] }],
    ["the execute of the node 'n' must be a function, got undefined", { nodes: [{ id: 'n' }] }],
    ["unknown option 'edge' in workflow", { edge: {} }],
  ])('refuses what it cannot use, by name: %s', (message, options) => {
    expect(() => workflow({ id: 'w', nodes: [node], ...options })).toThrow(message)
  })
})

describe('ready-made forms', () => {
  it('CacheNode has a memory cache of its own', async () => {
    let runs = 0
    await using cached = new CacheNode({
      node: defineNode('n', (x: { id: number; at: number }) => ++runs + x.id),
      scope: 'global',
      cacheKeyFn: ({ id }) => id,
    })
    await runNode(cached, { id: 1, at: 1 })
    await runNode(cached, { id: 1, at: 2 })
    expect(runs).toBe(1)
    expect(cached.getCacheStats()).toMatchObject({ cache: { hits: 1 }, savings: { hits: 1, misses: 1 } })
  })

  it('CachedWorkflowNode takes a registered backend, and says what is missing', async () => {
    registerBackend('mine', () => open())
    await using cached = new CachedWorkflowNode({ node, scope: 'global', cacheConfig: { type: 'mine' } })
    expect(await runNode(cached, 2)).toMatchObject({ output: 4 })
    await using none = new CachedWorkflowNode({ node, scope: 'global', cacheConfig: { type: 'floppy' } })
    expect(await runNode(none, 2)).toMatchObject({ success: false, error: { code: 'ERR_BACKEND' } })
  })

  it('CacheAsideNode reads once, and again after a write', async () => {
    const truth = new Map([['k', 1]])
    let reads = 0
    const aside = new CacheAsideNode<string, number | undefined>({
      id: 'aside',
      cache: open(),
      scope: 'global',
      origin: {
        read: (key) => (reads++, truth.get(key)),
        write: async (key, value) => void truth.set(key, value ?? 0),
      },
    })
    await runNode(aside, 'k')
    await runNode(aside, 'k')
    expect(reads).toBe(1)
    const flow = workflow({ id: 'flow', nodes: [aside] })
    expect([(await flow.run('k')).output, reads]).toEqual([1, 1])
    await aside.write('k', 2)
    expect(await runNode(aside, 'k')).toMatchObject({ output: 2 })
    expect([(await flow.run('k')).output, reads]).toEqual([2, 2])
  })
})

describe('copy', () => {
  const make = defineNode('make', () => ({ list: [1] }))

  it('by default everybody gets an object of their own', async () => {
    const cached = cacheNode(make, { cache: open(), scope: 'global' })
    const first = await runNode(cached, undefined)
    if (first.success) first.output.list.push(2)
    expect(await runNode(cached, undefined)).toMatchObject({ output: { list: [1] } })
  })

  it("'share' gives the very object that is kept", async () => {
    const cached = cacheNode(make, { cache: open(), scope: 'global', copy: 'share' })
    const [first, second] = [await runNode(cached, undefined), await runNode(cached, undefined)]
    expect(first.success && second.success && first.output === second.output).toBe(true)
    expect(cached.report()).toMatchObject({ hits: 1, misses: 1 })
  })

  it("'share' of a map gives the items that are kept", async () => {
    const inner = defineNode('items', (names: readonly string[]) => names.map((name) => ({ name })))
    const cached = cacheMap(inner, {
      cache: open(),
      scope: 'global',
      copy: 'share',
      items: (names: readonly string[]) => names,
      assemble: (outputs) => outputs,
    })
    const [first, second] = [await runNode(cached, ['a']), await runNode(cached, ['a', 'b'])]
    expect(first.success && second.success && first.output[0] === second.output[0]).toBe(true)
    expect(second.metadata?.['cache']).toMatchObject({ status: 'miss', items: { hits: 1, misses: 1 } })
  })

  it('anything else is refused by name', () => {
    expect(() => cacheNode(make, { cache: open(), scope: 'global', copy: 'freeze' as 'share' })).toThrow(
      /copy/,
    )
  })
})

it('tags of a stream may come from its chunks', async () => {
  const cache = open()
  let runs = 0
  const quote = defineNode('quote', async function* () {
    runs++
    yield { source: 'a' }
    yield { source: 'b' }
  } as () => AsyncGenerator<{ source: string }>)
  const cached = cacheNode(quote, {
    cache,
    scope: 'global',
    tags: ({ result }) =>
      (result.success ? (result.output as unknown as { source: string }[]) : []).map(({ source }) => source),
  })
  const flow = workflow({ id: 'w', nodes: [cached] })
  await flow.run(undefined)
  await flow.run(undefined)
  expect(runs).toBe(1)
  await cache.invalidateTags(['b'])
  await flow.run(undefined)
  expect(runs).toBe(2)
})
