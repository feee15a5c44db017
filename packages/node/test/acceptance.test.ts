import { type Cache, createCache } from '@flow-cache/core'
import { faultyStore, fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import {
  type Asked,
  cacheFn,
  cacheMap,
  cacheNode,
  createVariables,
  defineNode,
  interrupt,
  modelRules,
  route,
  runNode,
  Savings,
  type Scope,
  workflow,
} from '@flow-cache/node'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { caches } from './caches.js'
import { all, info, output } from './results.js'

describe.each(Object.entries(caches))('on %s', (_, open) => {
  let cache: Cache
  beforeEach(() => {
    cache = open()
  })
  afterEach(async () => cache.close())

  describe('1. concurrent streams', () => {
    it('twenty concurrent readers of one stream cost one run, and all get every chunk', async () => {
      let runs = 0
      const half = gate()
      const node = defineNode('s', async function () {
        runs++
        return (async function* () {
          yield 'a'
          await half.wait()
          yield 'b'
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global' })
      const results = await Promise.all(Array.from({ length: 20 }, async () => runNode(cached, 1)))
      const reading = results.map(async (result) => all(output(result)))
      half.open()
      for (const chunks of await Promise.all(reading)) expect(chunks).toEqual(['a', 'b'])
      expect(runs).toBe(1)
      expect(results.filter((result) => info(result).status === 'miss')).toHaveLength(1)
      expect(results.filter((result) => info(result).status === 'shared')).toHaveLength(19)
      await cache.drain()
      const hit = await runNode(cached, 1)
      expect(info(hit).status).toBe('hit')
      expect(await all(output(hit))).toEqual(['a', 'b'])
      expect(runs).toBe(1)
    })

    it('the leader cancels, and the followers finish', async () => {
      const half = gate()
      let signal: AbortSignal | undefined
      const node = defineNode('s', async (_: number, context) => {
        signal = context.signal
        return (async function* () {
          yield 'a'
          await half.wait()
          yield 'b'
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global' })
      const leader = new AbortController()
      const first = runNode(cached, 1, { signal: leader.signal })
      const second = runNode(cached, 1)
      const [one, two] = await Promise.all([first, second])
      const reading = all(output(one))
      leader.abort(new Error('gone'))
      await expect(reading).rejects.toThrow('gone')
      expect(signal?.aborted).toBe(false)
      half.open()
      expect(await all(output(two))).toEqual(['a', 'b'])
    })

    it('all cancel, and the run is aborted and nothing kept', async () => {
      const aborted = gate()
      const node = defineNode('s', async (_: number, { signal }) => {
        signal.addEventListener('abort', () => aborted.open())
        return (async function* () {
          yield 'a'
          await new Promise(() => {})
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global' })
      const results = await Promise.all([runNode(cached, 1), runNode(cached, 1)])
      for (const result of results) {
        const iterator = output(result)[Symbol.asyncIterator]()
        expect(await iterator.next()).toEqual({ done: false, value: 'a' })
        await iterator.return?.(undefined)
      }
      await aborted.wait()
      await cache.drain()
      const after = await runNode(cached, 1, { cache: { mode: 'only-if-cached' } })
      expect(after).toMatchObject({ success: false, error: { code: 'CACHE_MISS' } })
    })
  })

  describe('2. broken streams', () => {
    const parts = [{ type: 'text-delta', delta: 'x' }]
    it.each([
      ['has an error part', [...parts, { type: 'error' }, { type: 'finish', finishReason: 'stop' }]],
      ['was interrupted', [...parts, { type: 'finish', finishReason: { unified: 'interrupted' } }]],
      ['has no finish', parts],
    ])('a stream that %s is given once and never again', async (_, chunks) => {
      let runs = 0
      const node = defineNode('s', async function () {
        runs++
        return (async function* () {
          yield* chunks
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global', stream: { rules: modelRules() } })
      expect(await all(output(await runNode(cached, 1)))).toEqual(chunks)
      await cache.drain()
      expect(await all(output(await runNode(cached, 1)))).toEqual(chunks)
      expect(runs).toBe(2)
    })

    it('a stream that fails fails for its readers, and is run again', async () => {
      let runs = 0
      const node = defineNode('s', async function () {
        const run = ++runs
        return (async function* () {
          yield 'a'
          if (run === 1) throw new Error('cut')
          yield 'b'
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global' })
      await expect(runNode(cached, 1).then(async (result) => all(output(result)))).rejects.toThrow('cut')
      await cache.drain()
      expect(await all(output(await runNode(cached, 1)))).toEqual(['a', 'b'])
      expect(runs).toBe(2)
    })

    it('a stream over maxBytes reaches its readers whole and is not kept', async () => {
      let runs = 0
      const node = defineNode('s', async function () {
        runs++
        return (async function* () {
          for (let i = 0; i < 10; i++) yield 'x'.repeat(10)
        })()
      })
      const cached = cacheNode(node, { cache, scope: 'global', stream: { maxBytes: 50 } })
      expect(await all(output(await runNode(cached, 1)))).toHaveLength(10)
      await cache.drain()
      expect(await all(output(await runNode(cached, 1)))).toHaveLength(10)
      expect(runs).toBe(2)
    })

    it('a failure is never replayed', async () => {
      let runs = 0
      const node = defineNode('f', () => {
        if (++runs === 1) throw new Error('400')
        return 'fine'
      })
      const cached = cacheNode(node, { cache, scope: 'global' })
      expect((await runNode(cached, 1)).success).toBe(false)
      expect(output(await runNode(cached, 1))).toBe('fine')
    })
  })

  it('3. the same question hits whatever the order of its names, the run and its signal; another one misses', async () => {
    let runs = 0
    const node = defineNode<object, number>('llm', () => ++runs)
    const cached = cacheNode(node, { cache, scope: 'global', key: { omit: ['headers', 'trace'] } })
    const asked = {
      model: 'm',
      temperature: 0,
      tools: [{ name: 'look', inputSchema: { type: 'object', properties: { at: { type: 'number' } } } }],
      toolChoice: 'auto',
      responseFormat: { type: 'json', schema: { type: 'object' } },
    }
    const { signal } = new AbortController()
    await runNode(cached, { ...asked, headers: { 'user-agent': 'sdk/1' }, trace: '1' })
    const swapped = Object.fromEntries(Object.entries(asked).toReversed())
    const same = { ...swapped, trace: '2', headers: { 'user-agent': 'sdk/2', traceparent: '3' } }
    expect(info(await runNode(cached, same, { signal })).status).toBe('hit')
    const others = [
      { model: 'n' },
      { temperature: 0.1 },
      { tools: [{ name: 'look', inputSchema: { type: 'object', properties: { at: { type: 'string' } } } }] },
      { toolChoice: 'none' },
      { responseFormat: { type: 'json', schema: { type: 'array' } } },
      { seed: 1 },
    ]
    for (const other of others)
      expect(info(await runNode(cached, { ...asked, ...other })).status).toBe('miss')
    expect(runs).toBe(1 + others.length)
  })

  it('4. a conversation and one message with the same text have different answers', async () => {
    const cached = cacheNode(
      defineNode('llm', (messages: readonly { role: string; content: string }[]) => messages.length),
      { cache, scope: 'global' },
    )
    const user = (content: string) => ({ role: 'user', content })
    const conversation = [user('x'), { role: 'assistant', content: 'ok' }, user('y')]
    const flat = [user('x\nAI: ok\nHuman: y')]
    for (let i = 0; i < 2; i++) {
      expect(output(await runNode(cached, conversation))).toBe(3)
      expect(output(await runNode(cached, flat))).toBe(1)
    }
    expect(cached.report()).toMatchObject({ hits: 2, misses: 2 })
  })

  it('5. nodes of one name in two workflows do not share answers', async () => {
    const flows = ['short', 'long'].map((id) => {
      const node = defineNode('brief', (x: number) => `${id} ${x}`)
      return workflow({ id, nodes: [cacheNode(node, { cache, scope: 'global' })] })
    })
    for (const status of ['miss', 'hit'])
      for (const flow of flows) {
        const run = await flow.run(1)
        expect([run.output, run.nodes['brief']?.cache?.status]).toEqual([`${flow.id} 1`, status])
      }
  })

  it('5. nodes with other code, config or type, and contents of maps, sets, dates and bytes have other keys', async () => {
    const keys = new Set<string>()
    const variants = [
      {},
      { version: '2' },
      { version: 'source' },
      { config: { model: 'x' } },
      { type: 'llm' },
    ]
    const inputs = [
      new Map([['a', 1]]),
      new Map([['a', 2]]),
      new Set([1]),
      new Set([2]),
      new Date(0),
      new Date(1),
      new Uint8Array([1]),
      new Uint16Array([1]),
      {},
    ]
    for (const variant of variants) {
      const cached = cacheNode(
        defineNode('n', (x: unknown) => x, variant),
        { cache, scope: 'global' },
      )
      for (const input of inputs) keys.add((await cached.explain(input)).key)
    }
    expect(keys.size).toBe(variants.length * inputs.length)
  })

  it('6. an undeclared variable cannot be read, and the error names it', async () => {
    const node = defineNode('n', (_: number, { workflow }) => workflow.variables.get('user'))
    const options = { variables: { user: 'bob' } }
    const result = await runNode(cacheNode(node, { cache, scope: 'global' }), 1, options)
    expect(result).toMatchObject({ success: false, error: { code: 'ERR_UNDECLARED_READ' } })
    expect(result.success ? '' : result.error.message).toContain("'user'")
    const declared = cacheNode(node, { cache, scope: 'global', reads: ['user'] })
    expect(output(await runNode(declared, 1, options))).toBe('bob')
    expect(output(await runNode(declared, 1, { variables: { user: 'alice' } }))).toBe('alice')
  })

  it('6. no tenant ever gets the answer of another, whatever it asks and whatever it is called', async () => {
    const node = defineNode('n', (input: unknown, { workflow }) => ({ for: workflow.scope, input }))
    const each = defineNode('each', (items: readonly unknown[], { workflow }) =>
      items.map((input) => ({ for: workflow.scope, input })),
    )
    const options = { cache, scope: ({ workflow }: Asked) => workflow.scope! }
    const cached = cacheNode(node, options)
    const map = cacheMap(each, { ...options, items: (x: unknown) => [x], assemble: ([answer]) => answer! })
    const fn = cacheFn((scope: Scope, input: unknown) => ({ for: scope, input }), {
      cache,
      name: 'n',
      scope: (scope) => scope,
      key: (_, input) => input,
    })
    const part = fc.oneof(
      fc.constantFrom('a', 'b', 'a:b', '{"a":1}', '1', 'global', '$date'),
      fc.constantFrom(1, 0, true, false),
      fc.string({ minLength: 1, unit: 'grapheme' }),
    )
    const scopes = fc.dictionary(fc.constantFrom('tenant', 'user', '$date'), part, {
      minKeys: 1,
      noNullPrototype: true,
    })
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    await fc.assert(
      fc.asyncProperty(scopes, scopes, fc.jsonValue(), fc.jsonValue(), async (one, other, first, second) => {
        const calls = [one, other, one].flatMap((scope) => [
          { scope, input: first },
          { scope, input: second },
        ])
        await Promise.all(
          calls.map(async ({ scope, input }) => {
            const answers = await Promise.all([
              runNode(cached, input, { scope }).then(output),
              runNode(map, input, { scope }).then(output),
              fn(scope, input),
            ])
            for (const answer of answers) {
              expect(answer.for).toEqual(scope)
              expect(plain(answer.input)).toEqual(plain(input))
            }
          }),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('7. a hit takes the same route and writes the same variables; an interrupt is not kept', async () => {
    let runs = 0
    const node = defineNode('n', (x: number, { workflow }) => {
      runs++
      workflow.variables.set('seen', { x })
      workflow.variables.delete('old')
      return route(x > 1 ? 'big' : 'small', x)
    })
    const cached = cacheNode(node, { cache, scope: 'global', undeclaredReads: 'allow' })
    for (let i = 0; i < 2; i++) {
      const variables = createVariables({ old: 1 })
      const result = await runNode(cached, 2, { variables })
      expect(result).toMatchObject({ next: 'big', output: 2 })
      expect(variables.get('seen')).toEqual({ x: 2 })
      expect(variables.has('old')).toBe(false)
    }
    expect(runs).toBe(1)
    const asks = cacheNode(
      defineNode('asks', () => interrupt(`which? ${++runs}`)),
      { cache, scope: 'global' },
    )
    expect(await runNode(asks, 1)).toMatchObject({ interrupt: { reason: 'which? 2' } })
    expect(await runNode(asks, 1)).toMatchObject({ interrupt: { reason: 'which? 3' } })
  })

  it.each([0, '', false, null, undefined, []])('8. the falsy output %j hits', async (value) => {
    let runs = 0
    const cached = cacheNode(
      defineNode('n', () => (runs++, value)),
      { cache, scope: 'global' },
    )
    await runNode(cached, 1)
    const hit = await runNode(cached, 1)
    expect(output(hit)).toEqual(value)
    expect([runs, info(hit).status]).toEqual([1, 'hit'])
  })

  it('9. bytes and dates come back as they were', async () => {
    const value = { bytes: new Uint8Array([1, 2, 255]), at: new Date(5) }
    const cached = cacheNode(
      defineNode('n', () => value),
      { cache, scope: 'global' },
    )
    await runNode(cached, 1)
    const hit = await runNode(cached, 1)
    expect(info(hit).status).toBe('hit')
    expect(output(hit)).toEqual(value)
    expect(output(hit).bytes).toBeInstanceOf(Uint8Array)
  })

  it('11. callers do not share objects, with each other or with the cache', async () => {
    const cached = cacheNode(
      defineNode('n', () => ({ list: [1] })),
      { cache, scope: 'global' },
    )
    const first = output(await runNode(cached, 1))
    const second = output(await runNode(cached, 1))
    second.list.push(2)
    expect(first).toEqual({ list: [1] })
    first.list.push(3)
    expect(output(await runNode(cached, 1))).toEqual({ list: [1] })
  })

  it('12. of a mixed batch only what is missing is computed, in order', async () => {
    const asked: (readonly string[])[] = []
    const embed = defineNode('embed', (texts: readonly string[]) => {
      asked.push(texts)
      return texts.map((text) => text.length)
    })
    const cached = cacheMap(embed, {
      cache,
      scope: 'global',
      items: (input: readonly string[]) => input,
      assemble: (sizes) => sizes,
    })
    await runNode(cached, ['bb'])
    const result = await runNode(cached, ['a', 'bb', 'ccc', 'a'])
    expect(output(result)).toEqual([1, 2, 3, 1])
    expect(asked).toEqual([['bb'], ['a', 'ccc']])
  })

  it('13. an entry that was tampered with or stands under another key is a miss, and removed', async () => {
    let runs = 0
    const cached = cacheNode(
      defineNode('n', (x: number) => (runs++, x)),
      {
        cache,
        scope: ({ workflow }) => workflow.scope!,
        store: (result) => result.success && result.output < 100,
      },
    )
    const a = { scope: { tenant: 'a' } }
    const b = { scope: { tenant: 'b' } }
    await runNode(cached, 1, a)
    const [mine, theirs] = [(await cached.explain(1, a)).key, (await cached.explain(1, b)).key]
    const entry = await cache.get<object>(mine)
    await cache.set(theirs, entry)
    expect(info(await runNode(cached, 1, b))).toMatchObject({ status: 'miss', reason: 'integrity' })
    expect(info(await runNode(cached, 1, b)).status).toBe('hit')
    await cache.set(mine, { ...entry, result: { success: true, output: 1_000 } })
    expect(output(await runNode(cached, 1, a))).toBe(1)
    await cache.set(mine, 'rubbish')
    expect(output(await runNode(cached, 1, a))).toBe(1)
    expect(runs).toBe(4)
  })

  it('14. what was saved and what was spent add up to what runs without a cache spend', async () => {
    const clock = fakeClock()
    const savings = new Savings()
    const cached = cacheNode(
      defineNode('n', async () => {
        await clock.advance(100)
        return 'x'
      }),
      {
        cache,
        scope: 'global',
        clock,
        savings,
        cost: () => ({ model: 'm', inputTokens: 1_000, outputTokens: 200 }),
        pricing: { m: { input: 1, output: 5 } },
      },
    )
    for (let i = 0; i < 5; i++) await runNode(cached, 1)
    const report = savings.report('n')
    expect(report).toMatchObject({ hits: 4, misses: 1, spentTokens: 1_200, savedTokens: 4_800, spentMs: 100 })
    expect(report.spentUsd + report.savedUsd).toBeCloseTo(5 * 0.002)
    expect(report.savedMs + report.spentMs).toBe(500)
  })

  it('the modes of a call do what they say', async () => {
    let runs = 0
    const cached = cacheNode(
      defineNode('n', () => ++runs),
      { cache, scope: 'global' },
    )
    const call = async (mode: 'bypass' | 'refresh' | 'only-if-cached' | 'no-store' | 'default') =>
      runNode(cached, 1, { cache: { mode } })
    expect(await call('only-if-cached')).toMatchObject({ success: false })
    expect(output(await call('no-store'))).toBe(1)
    expect(await call('only-if-cached')).toMatchObject({ success: false })
    expect(output(await call('default'))).toBe(2)
    expect(output(await call('bypass'))).toBe(3)
    expect(output(await call('only-if-cached'))).toBe(2)
    expect(info(await call('refresh'))).toMatchObject({ status: 'refresh' })
    expect(output(await call('only-if-cached'))).toBe(4)
    expect(await cached.invalidate(1)).toBe(true)
    expect(output(await call('default'))).toBe(5)
  })
})

describe('10. a cache that is down', () => {
  it.each(['reject', 'throw', 'hang'] as const)('does not fail the node: calls %s', async (fault) => {
    const clock = fakeClock()
    const store = faultyStore(mapStore(clock))
    const errors: unknown[] = []
    const cache = createCache({ store, clock, onStoreError: 'throw' })
    let runs = 0
    const cached = cacheNode(
      defineNode('n', () => ++runs),
      { cache, clock, scope: 'global', onEvent: (event) => errors.push(event) },
    )
    store.fail(fault)
    const calling = runNode(cached, 1)
    for (let i = 0; i < 20; i++) await clock.advance(100)
    expect(output(await calling)).toBe(1)
    expect(errors).not.toEqual([])
    store.fail('none')
  })
})
