import { CacheError, createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import {
  type BaseNode,
  cacheFn,
  cacheNode,
  type CacheNodeOptions,
  createVariables,
  defineNode,
  runNode,
  type StepEvent,
} from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import { info, output } from './results.js'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })

/** A cached node that counts its runs. */
function counted<I>(options: Partial<CacheNodeOptions<I, number>>) {
  const events: StepEvent[] = []
  const cache = open()
  let runs = 0
  const node = defineNode<I, number>('n', () => ++runs)
  const cached = cacheNode(node, {
    cache,
    scope: 'global',
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { cache, cached, events, runs: () => runs }
}

describe("effects: 'forbid'", () => {
  it.each([
    ['set', (variables: ReturnType<typeof createVariables>) => variables.set('x', 1)],
    ['delete', (variables: ReturnType<typeof createVariables>) => variables.delete('y')],
  ])('makes %s an error, and what was there stays', async (_, write) => {
    const node = defineNode('n', (_: number, { workflow }) => {
      write(workflow.variables)
    })
    const options = { cache: open(), scope: 'global', reads: ['y'] } as const
    const variables = createVariables({ y: 1 })
    const refused = await runNode(cacheNode(node, { ...options, effects: 'forbid' }), 1, { variables })
    expect(refused).toMatchObject({ success: false, error: { code: 'ERR_EFFECT' } })
    expect([variables.get('x'), variables.get('y')]).toEqual([undefined, 1])
    const allowed = await runNode(cacheNode(node, options), 1, { variables })
    expect(allowed).toMatchObject({ success: true })
  })
})

describe('undeclaredReads', () => {
  const reads = defineNode('n', (_: number, { workflow: { variables } }) => [
    variables.get('user'),
    variables.has('user'),
    variables.names(),
  ])
  const variables = { user: 'bob' }

  it("'warn' lets them through and tells of each, also of has", async () => {
    const events: StepEvent[] = []
    const cached = cacheNode(reads, {
      cache: open(),
      scope: 'global',
      undeclaredReads: 'warn',
      onEvent: (event) => events.push(event),
    })
    expect(output(await runNode(cached, 1, { variables }))).toEqual(['bob', true, []])
    const warning = { type: 'undeclared-read', nodeId: 'n', variable: 'user' }
    expect(events).toEqual([warning, warning])
  })

  it("'allow' lets them through and says nothing; they are not in the key", async () => {
    const events: StepEvent[] = []
    const cached = cacheNode(reads, {
      cache: open(),
      scope: 'global',
      undeclaredReads: 'allow',
      onEvent: (event) => events.push(event),
    })
    expect(output(await runNode(cached, 1, { variables }))).toEqual(['bob', true, ['user']])
    expect(output(await runNode(cached, 1, { variables: { user: 'al' } }))[0]).toBe('bob')
    expect(events).toEqual([])
  })
})

describe('keySecret', () => {
  it('makes other keys and other digests, the same for the same secret', async () => {
    const keys = new Set<string>()
    const digests = new Set<string>()
    for (const keySecret of [undefined, 'a', 'b', 'a']) {
      const { key, parts } = await counted({ keySecret }).cached.explain(1)
      expect(key).toMatch(/^n:[\w-]{43}$/)
      keys.add(key)
      digests.add(parts.inputs)
    }
    expect([keys.size, digests.size]).toEqual([3, 3])
  })

  it('is needed to find an answer', async () => {
    const cache = open()
    const call = async (keySecret?: string) =>
      info(await runNode(counted({ cache, keySecret }).cached, 1)).status
    expect(await call('a')).toBe('miss')
    expect(await call('a')).toBe('hit')
    expect(await call('b')).toBe('miss')
    expect(await call()).toBe('miss')
  })

  it("that is empty is a TypeError: it would be nobody's secret", () => {
    expect(() => counted({ keySecret: '' })).toThrow(TypeError)
  })
})

describe('tags', () => {
  it('from the call and its result end those answers, and no others', async () => {
    const cache = open()
    let runs = 0
    const answer = defineNode('n', (question: string) => ({ sources: [`${question}.md`], run: ++runs }))
    const cached = cacheNode(answer, {
      cache,
      scope: 'global',
      tags: ({ input, result }) => [
        `q:${input}`,
        ...(result.success ? result.output.sources.map((source) => `doc:${source}`) : []),
      ],
    })
    const run = async (input: string) => output(await runNode(cached, input)).run
    expect([await run('a'), await run('b')]).toEqual([1, 2])
    await cache.invalidateTags(['doc:a.md'])
    expect([await run('a'), await run('b')]).toEqual([3, 2])
    await cache.invalidateTags(['q:b'])
    expect([await run('a'), await run('b')]).toEqual([3, 4])
  })

  it('see the chunks of a stream as its output', async () => {
    const cache = open()
    const seen: unknown[] = []
    const node = defineNode('n', async function () {
      return (async function* () {
        yield 'a'
        yield 'b'
      })()
    })
    const cached = cacheNode(node, {
      cache,
      scope: 'global',
      tags: ({ result }) => {
        seen.push(result.success && result.output)
        return ['t']
      },
    })
    for await (const _ of output(await runNode(cached, 1)));
    await cache.drain()
    expect(seen).toEqual([['a', 'b']])
    await cache.invalidateTags(['t'])
    expect(await runNode(cached, 1, { cache: { mode: 'only-if-cached' } })).toMatchObject({ success: false })
  })

  it('that throw keep nothing, and are told', async () => {
    const { cached, events, runs } = counted({
      tags: () => {
        throw new Error('no tags')
      },
    })
    await runNode(cached, 1)
    expect(output(await runNode(cached, 1))).toBe(2)
    expect(runs()).toBe(2)
    expect(events[0]).toMatchObject({ type: 'error', during: 'keep' })
  })

  it('of cacheFn come from the value and the arguments', async () => {
    const cache = open()
    let calls = 0
    const fn = cacheFn((x: string) => `${x}${++calls}`, {
      cache,
      name: 'f',
      scope: 'global',
      tags: (value, x) => [value, x],
    })
    expect([await fn('a'), await fn('b')]).toEqual(['a1', 'b2'])
    await cache.invalidateTags(['a1'])
    expect([await fn('a'), await fn('b')]).toEqual(['a3', 'b2'])
    await cache.invalidateTags(['b'])
    expect([await fn('a'), await fn('b')]).toEqual(['a3', 'b4'])
  })
})

describe('namespace of a call', () => {
  it('keeps its entries apart, and can be explained and invalidated', async () => {
    const { cached, runs } = counted({})
    const apart = { cache: { namespace: 'preview' } }
    expect(output(await runNode(cached, 1))).toBe(1)
    expect(output(await runNode(cached, 1, apart))).toBe(2)
    expect(info(await runNode(cached, 1, apart)).status).toBe('hit')
    expect((await cached.explain(1, apart)).key).toMatch(/^preview:n:/)
    expect(await cached.invalidate(1, apart)).toBe(true)
    expect(output(await runNode(cached, 1))).toBe(1)
    expect(runs()).toBe(2)
  })

  it('that would look like another node of none does not share with it', async () => {
    const cache = open()
    const one = cacheNode(
      defineNode('b', () => 'one'),
      { cache, scope: 'global' },
    )
    const two = cacheNode(
      defineNode('a:b', () => 'two'),
      { cache, scope: 'global' },
    )
    expect(output(await runNode(one, 1, { cache: { namespace: 'a' } }))).toBe('one')
    expect(output(await runNode(two, 1))).toBe('two')
  })
})

describe('when', () => {
  it('that says no runs as if there were no cache', async () => {
    const { cached, runs } = counted<number>({ when: ({ input }) => input > 1 })
    for (const input of [1, 1, 2, 2]) await runNode(cached, input)
    expect(runs()).toBe(3)
    expect(info(await runNode(cached, 1))).toEqual({
      status: 'bypass',
      lookupMs: expect.any(Number) as number,
    })
    expect(cached.report()).toMatchObject({ bypass: 3, misses: 1, hits: 1 })
  })

  it('lets a node that may not be cached see all variables and write them', async () => {
    const node = defineNode('n', (_: number, { workflow }) => {
      workflow.variables.set('x', workflow.variables.get('y'))
    })
    const cached = cacheNode(node, { cache: open(), scope: 'global', when: () => false })
    const variables = createVariables({ y: 1 })
    await runNode(cached, 1, { variables })
    expect(variables.get('x')).toBe(1)
  })
})

describe('a promise where yes or no is wanted', () => {
  const later = (async () => Promise.reject(new Error('late'))) as never

  it('is no yes to the cache: the call fails and says so', async () => {
    const { cached } = counted({ when: later })
    expect(await runNode(cached, 1)).toMatchObject({
      error: { message: 'what when answers must be a boolean, at once, got object' },
    })
    const fn = cacheFn(() => 1, { cache: open(), name: 'f', scope: 'global', when: later })
    await expect(fn()).rejects.toThrow('what when answers')
  })

  it('is no yes to keeping a result either', async () => {
    const { cached } = counted({ store: later })
    for (let i = 0; i < 2; i++) expect(info(await runNode(cached, 1))).toMatchObject({ status: 'miss' })
  })
})

describe('onKeyError', () => {
  it("'throw' fails the call with the place of what has no key", async () => {
    const { cached } = counted({})
    const result = await runNode(cached, { client: () => 1 })
    expect(result).toMatchObject({ success: false, error: { code: 'ERR_KEY' } })
    expect(result.success ? '' : result.error.message).toContain('$.input.client')
  })

  it("'bypass' runs uncached, and tells", async () => {
    const { cached, events } = counted({ onKeyError: 'bypass' })
    for (const run of [1, 2]) {
      const result = await runNode(cached, { client: () => 1 })
      expect([output(result), info(result).status, info(result).reason]).toEqual([run, 'bypass', 'key-error'])
    }
    expect(events).toHaveLength(2)
    expect(events[0]).toMatchObject({ type: 'error', nodeId: 'n', during: 'key' })
  })

  it("'bypass' is no way around a scope", async () => {
    const { cached } = counted({ onKeyError: 'bypass', scope: () => ({ tenant: '' }) })
    expect(await runNode(cached, 1)).toMatchObject({ success: false })
  })
})

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  toJSON(): number {
    return this.#cents
  }
}

describe('codecs and allowToJSON', () => {
  const codec = {
    name: 'money',
    test: (value: unknown): value is Money => value instanceof Money,
    encode: (value: Money) => value.toJSON(),
  }

  it.each([
    ['codecs', { codecs: [codec] }],
    ['allowToJSON', { allowToJSON: true }],
  ])('%s give class instances a key, by what they hold', async (_, options) => {
    const { cached } = counted<Money>(options)
    expect(output(await runNode(cached, new Money(1)))).toBe(1)
    expect(output(await runNode(cached, new Money(2)))).toBe(2)
    expect(output(await runNode(cached, new Money(1)))).toBe(1)
  })

  it('without them a class instance is an error that names the class', async () => {
    const result = await runNode(counted<Money>({}).cached, new Money(1))
    expect(result.success ? '' : result.error.message).toContain('Money')
  })
})

describe('maxBytes', () => {
  it('refuses a longer input, and advises to pick fields', async () => {
    const { cached } = counted<string>({ maxBytes: 500 })
    expect(await runNode(cached, 'x'.repeat(100))).toMatchObject({ success: true })
    const result = await runNode(cached, 'x'.repeat(1_000))
    expect(result.success ? '' : result.error.message).toContain('maxBytes')
  })
})

describe('cost and pricing', () => {
  const pricing = { m: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 2 } }

  it('count tokens and dollars spent and saved, with what the provider had in a cache of its own', async () => {
    const { cached } = counted({
      pricing,
      cost: () => ({
        model: 'm',
        inputTokens: 1_000_000,
        cacheReadTokens: 400_000,
        cacheWriteTokens: 100_000,
        outputTokens: 200_000,
      }),
    })
    await runNode(cached, 1)
    const hit = await runNode(cached, 1)
    const usd = 0.5 + 0.04 + 0.2 + 1
    expect(info(hit).saved?.tokens).toBe(1_200_000)
    expect(info(hit).saved?.usd).toBeCloseTo(usd)
    const report = cached.report()
    expect([report.spentTokens, report.savedTokens]).toEqual([1_200_000, 1_200_000])
    expect(report.spentUsd).toBeCloseTo(usd)
    expect(report.savedUsd).toBeCloseTo(usd)
  })

  it.each([
    ['dollars as they are', { usd: 2 }, 2],
    ['nothing for a model without a price', { model: 'x', inputTokens: 5 }, 0],
    ['nothing for a name every object has', { model: 'constructor', inputTokens: 5 }, 0],
    ['nothing where nothing is said', undefined, 0],
  ])('take %s', async (_, cost, usd) => {
    const { cached } = counted({ pricing, cost: () => cost })
    await runNode(cached, 1)
    expect(cached.report().spentUsd).toBe(usd)
  })

  it('that throws fails nothing, and is told', async () => {
    const { cached, events } = counted({
      cost: () => {
        throw new Error('no usage')
      },
    })
    expect(output(await runNode(cached, 1))).toBe(1)
    expect(info(await runNode(cached, 1)).status).toBe('hit')
    expect(events).toMatchObject([{ type: 'error', during: 'cost' }])
  })
})

describe('listeners', () => {
  it('onHit and onMiss get what metadata.cache says, and one that throws fails nothing', async () => {
    const told: string[] = []
    const { cached, events } = counted({
      onHit: ({ status }) => told.push(status),
      onMiss: ({ status }) => {
        told.push(status)
        throw new Error('mine')
      },
    })
    await runNode(cached, 1)
    await runNode(cached, 1)
    expect(told).toEqual(['miss', 'hit'])
    expect(events).toMatchObject([{ type: 'error', nodeId: 'n', during: 'listener' }])
  })
})

describe('version', () => {
  it("'source' is the text of the function", async () => {
    const cache = open()
    const key = async (node: BaseNode<number>) =>
      (await cacheNode(node, { cache, scope: 'global', version: 'source' }).explain(1)).key
    const one = defineNode('n', (x: number) => x + 1)
    const other = defineNode('n', (x: number) => x + 2)
    expect(await key(one)).not.toBe(await key(other))
    expect(await key(one)).toBe(await key(defineNode('n', (x: number) => x + 1)))
  })
})

describe('options nobody knows', () => {
  it.each([
    ['cacheNode', () => counted({ ttls: 1 } as object)],
    ['its stream', () => counted({ stream: { speed: 1 } as object })],
    ['cacheFn', () => cacheFn(() => 1, { cache: open(), name: 'f', scope: 'global', reads: ['x'] } as never)],
  ])('of %s are a TypeError that names them', (_, make) => {
    expect(make).toThrow(/unknown option/)
  })

  it('of a call as well', async () => {
    const result = await runNode(counted({}).cached, 1, { cache: { modus: 'x' } as object }).catch(
      (error: unknown) => error,
    )
    expect(result).toBeInstanceOf(TypeError)
    expect(result).not.toBeInstanceOf(CacheError)
  })
})

describe('an input that is changed after the call', () => {
  it('is what the step sees, and is not kept under the key of what it was', async () => {
    const events: StepEvent[] = []
    const cache = open()
    const cached = cacheNode(
      defineNode('n', ({ words }: { words: string[] }) => words.join(' ')),
      { cache, scope: 'global', onEvent: (event) => events.push(event) },
    )
    const input = { words: ['a'] }
    const asked = runNode(cached, input)
    input.words.push('b')
    expect(output(await asked)).toBe('a b')
    expect(events.filter(({ type }) => type === 'not-stored')).toEqual([
      { type: 'not-stored', nodeId: 'n', reason: 'what the key is made of was changed after the call' },
    ])
    expect(output(await runNode(cached, { words: ['a'] }))).toBe('a')
    expect(output(await runNode(cached, { words: ['a', 'b'] }))).toBe('a b')
  })

  it('may be changed by the step itself', async () => {
    const cache = open()
    const cached = cacheNode(
      defineNode('n', ({ words }: { words: string[] }) => `${words.pop()} of ${words.length + 1}`),
      { cache, scope: 'global' },
    )
    expect(output(await runNode(cached, { words: ['a', 'b'] }))).toBe('b of 2')
    expect(info(await runNode(cached, { words: ['a', 'b'] }))).toMatchObject({ status: 'hit' })
  })
})
