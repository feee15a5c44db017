import { createCache } from '@flow-cache/core'
import { faultyStore, type FakeClock, fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { cacheMap, type CacheMapOptions, createVariables, defineNode, runNode } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import { info, output } from './results.js'

type Options = Partial<CacheMapOptions<readonly string[], string, string, readonly string[]>>

const open = (clock: FakeClock) => createCache({ store: mapStore(clock), clock })

/** A cached map whose node answers `item/number of its call`, or fails. */
function map(clock: FakeClock, options: Options = {}) {
  const asked: (readonly string[])[] = []
  const state = { fails: false, wait: Promise.resolve() }
  const node = defineNode('map', async (items: readonly string[]) => {
    asked.push(items)
    const call = asked.length
    await state.wait
    if (state.fails) throw new Error('down')
    return items.map((item) => `${item}/${call}`)
  })
  const cached = cacheMap(node, {
    cache: open(clock),
    clock,
    scope: 'global',
    ttl: '1m',
    items: (input: readonly string[]) => input,
    assemble: (outputs: readonly string[]) => outputs,
    ...options,
  })
  return { asked, cached, state }
}

describe('modes of a call', () => {
  it('bypass runs with all items as they stand, and without a key', async () => {
    const { asked, cached } = map(fakeClock())
    const result = await runNode(cached, ['a', 'a'], { cache: { mode: 'bypass' } })
    expect(asked).toEqual([['a', 'a']])
    expect([output(result), info(result).status]).toEqual([['a/1', 'a/1'], 'bypass'])
    expect(cached.report()).toMatchObject({ bypass: 1, misses: 0 })
  })

  it('only-if-cached answers when all is there, and never runs', async () => {
    const { asked, cached } = map(fakeClock())
    await runNode(cached, ['a'])
    const only = { cache: { mode: 'only-if-cached' } } as const
    expect(output(await runNode(cached, ['a'], only))).toEqual(['a/1'])
    expect(await runNode(cached, ['a', 'b'], only)).toMatchObject({ error: { code: 'CACHE_MISS' } })
    expect(asked).toHaveLength(1)
  })

  it('refresh computes all, no-store keeps nothing, namespace keeps apart', async () => {
    const { cached } = map(fakeClock())
    const run = async (cache: object) => runNode(cached, ['a', 'b'], { cache })
    expect(output(await run({ mode: 'no-store' }))).toEqual(['a/1', 'b/1'])
    expect(output(await run({}))).toEqual(['a/2', 'b/2'])
    const fresh = await run({ mode: 'refresh' })
    expect([output(fresh), info(fresh).status]).toEqual([['a/3', 'b/3'], 'refresh'])
    expect(output(await run({ mode: 'no-store' }))).toEqual(['a/3', 'b/3'])
    expect(output(await run({ namespace: 'x' }))).toEqual(['a/4', 'b/4'])
    expect(output(await run({}))).toEqual(['a/3', 'b/3'])
  })

  it('maxAge computes the items that are older, and they are kept', async () => {
    const clock = fakeClock()
    const { asked, cached } = map(clock)
    await runNode(cached, ['a'])
    await clock.advance(30_000)
    await runNode(cached, ['b'])
    const result = await runNode(cached, ['a', 'b'], { cache: { maxAge: '10s' } })
    expect(output(result)).toEqual(['a/3', 'b/2'])
    expect(asked.at(-1)).toEqual(['a'])
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/3', 'b/2'])
    await clock.advance(10_001)
    const only = { cache: { maxAge: '10s', mode: 'only-if-cached' } } as const
    expect(await runNode(cached, ['a'], only)).toMatchObject({ success: false })
  })

  it('ttl replaces that of the node for what is computed', async () => {
    const clock = fakeClock()
    const { cached } = map(clock)
    await runNode(cached, ['a'], { cache: { ttl: '1s' } })
    await clock.advance(1_000)
    expect(output(await runNode(cached, ['a']))).toEqual(['a/2'])
  })
})

describe('old items', () => {
  it('are given at once while new ones are made behind, for as long as stale says', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    const { asked, cached, state } = map(clock, { cache, stale: '1m', staleIfError: '1h' })
    await runNode(cached, ['a'])
    await clock.advance(90_000)
    const half = gate()
    state.wait = half.wait()
    const old = await runNode(cached, ['a'])
    expect([output(old), info(old).status]).toEqual([['a/1'], 'stale'])
    half.open()
    await cache.drain()
    expect(output(await runNode(cached, ['a']))).toEqual(['a/2'])
    await clock.advance(10 * 60_000)
    expect(output(await runNode(cached, ['a']))).toEqual(['a/3'])
    expect(asked).toHaveLength(3)
  })

  it('stand in for a node that fails where staleIfError says so', async () => {
    const clock = fakeClock()
    const { cached, state } = map(clock, { staleIfError: '1h' })
    await runNode(cached, ['a'])
    state.fails = true
    await clock.advance(2 * 60_000)
    const old = await runNode(cached, ['a'])
    expect([output(old), info(old).status]).toEqual([['a/1'], 'stale'])
    expect(await runNode(cached, ['b'])).toMatchObject({ success: false, error: { message: 'down' } })
  })
})

describe('what is kept', () => {
  it('ends by its tags', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    const { cached } = map(clock, { cache, tags: ['model:1'] })
    await runNode(cached, ['a'])
    await cache.invalidateTags(['model:1'])
    expect(output(await runNode(cached, ['a']))).toEqual(['a/2'])
  })

  it('is not what was made of an item that was changed after the call', async () => {
    const events: unknown[] = []
    const clock = fakeClock()
    const store = faultyStore(mapStore(clock))
    // It answers later, so that the call is over before the node begins.
    store.fail('lag')
    const cached = cacheMap(
      defineNode('map', (items: readonly { text: string }[]) => items.map(({ text }) => text.toUpperCase())),
      {
        cache: createCache({ store, clock }),
        scope: 'global',
        items: (items: readonly { text: string }[]) => items,
        assemble: (outputs) => outputs,
        onEvent: (event) => events.push(event),
      },
    )
    const items = [{ text: 'a' }, { text: 'b' }]
    const asked = runNode(cached, items)
    items[0]!.text = 'x'
    expect(output(await asked)).toEqual(['X', 'B'])
    expect(events).toEqual([
      { type: 'not-stored', nodeId: 'map', reason: 'what the key is made of was changed after the call' },
    ])
    const again = await runNode(cached, [{ text: 'a' }, { text: 'b' }])
    expect([output(again), info(again).items]).toEqual([['A', 'B'], { hits: 1, misses: 1 }])
  })

  it('is what store says yes to, and it is asked again on read', async () => {
    const clock = fakeClock()
    const events: unknown[] = []
    let bad = 'a'
    const { cached } = map(clock, {
      store: (output) => !output.startsWith(bad),
      onEvent: (event) => events.push(event),
    })
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/1', 'b/1'])
    expect(events).toEqual([{ type: 'not-stored', nodeId: 'map', reason: 'store said no' }])
    bad = 'b'
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/2', 'b/3'])
  })

  it('is checked: an item that was tampered with is computed anew, and kept again', async () => {
    const clock = fakeClock()
    const store = mapStore(clock)
    const keys: string[] = []
    const cache = createCache({
      clock,
      store: { ...store, set: (key, entry) => (keys.push(key), store.set(key, entry)) },
    })
    const { cached } = map(clock, { cache })
    await runNode(cached, ['a', 'b'])
    await cache.set(keys[0]!, await cache.get(keys[1]!))
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/2', 'b/1'])
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/2', 'b/1'])
  })

  it('belongs to its scope, its variables and its secret', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    const { cached } = map(clock, { cache, scope: ({ workflow }) => workflow.scope!, reads: ['model'] })
    const run = async (tenant: string, model: string) =>
      output(await runNode(cached, ['x'], { scope: { tenant }, variables: { model } }))
    expect(await run('a', '1')).toEqual(['x/1'])
    expect(await run('b', '1')).toEqual(['x/2'])
    expect(await run('a', '2')).toEqual(['x/3'])
    expect(await run('a', '1')).toEqual(['x/1'])
    const secret = map(clock, { cache, keySecret: 's' })
    expect(output(await runNode(secret.cached, ['x']))).toEqual(['x/1'])
    expect(secret.asked).toEqual([['x']])
  })
})

describe('cost', () => {
  it('of a call is shared out among its items, spent and saved', async () => {
    const clock = fakeClock()
    const { cached } = map(clock, {
      cost: (outputs) => ({ model: 'm', inputTokens: outputs.length * 100 }),
      pricing: { m: { input: 1_000, output: 0 } },
    })
    await runNode(cached, ['a', 'b'])
    await runNode(cached, ['b', 'c'])
    const report = cached.report()
    expect(report).toMatchObject({ hits: 1, misses: 3, spentTokens: 300, savedTokens: 100 })
    expect([report.spentUsd, report.savedUsd].map((usd) => usd.toFixed(3))).toEqual(['0.300', '0.100'])
  })
})

describe('two callers at once', () => {
  it('share what both ask for, and each computes the rest', async () => {
    const clock = fakeClock()
    const half = gate()
    const asked: string[][] = []
    const node = defineNode('map', async (items: readonly string[]) => {
      asked.push([...items])
      await half.wait()
      return items.map((item) => item.toUpperCase())
    })
    const cached = cacheMap(node, {
      cache: open(clock),
      clock,
      scope: 'global',
      items: (input: readonly string[]) => input,
      assemble: (outputs: readonly string[]) => outputs,
    })
    const both = [runNode(cached, ['a', 'b']), runNode(cached, ['b', 'c'])]
    while (asked.length < 2) await Promise.resolve()
    half.open()
    const [one, two] = await Promise.all(both)
    expect([output(one!), output(two!)]).toEqual([
      ['A', 'B'],
      ['B', 'C'],
    ])
    expect(asked.flat().toSorted()).toEqual(['a', 'b', 'c'])
  })
})

describe('what goes wrong', () => {
  it('a node that writes a variable, or answers with too few outputs, fails', async () => {
    const clock = fakeClock()
    const options = {
      cache: open(clock),
      scope: 'global' as const,
      items: (input: readonly string[]) => input,
      assemble: (outputs: readonly string[]) => outputs,
    }
    const writes = defineNode('w', (items: readonly string[], { workflow }) => {
      workflow.variables.set('x', 1)
      return items
    })
    const variables = createVariables()
    const written = await runNode(cacheMap(writes, options), ['a'], { variables })
    expect(written).toMatchObject({ error: { code: 'ERR_EFFECT' } })
    const few = defineNode('f', () => [] as string[])
    expect(await runNode(cacheMap(few, options), ['a'])).toMatchObject({ error: { code: 'ERR_RESULT' } })
  })

  it('a cache that rejects does not fail the map, and the inner node runs once', async () => {
    const clock = fakeClock()
    const store = faultyStore(mapStore(clock))
    const cache = createCache({ store, clock, onStoreError: 'throw' })
    const events: unknown[] = []
    const { asked, cached } = map(clock, { cache, onEvent: (event) => events.push(event) })
    store.fail('reject')
    expect(output(await runNode(cached, ['a', 'b']))).toEqual(['a/1', 'b/1'])
    expect(asked).toHaveLength(1)
    expect(events).toMatchObject([{ type: 'error', nodeId: 'map' }])
    expect(cached.report().errors).toBe(1)
    const only = await runNode(cached, ['a'], { cache: { mode: 'only-if-cached' } })
    expect(only).toMatchObject({ success: false, error: { code: 'CACHE_MISS' } })
    store.fail('none')
  })

  it.each(['negativeTtl', 'onHit', 'onMiss', 'onKeyError', 'stream', 'when', 'effects'])(
    'the option %s, which means nothing here, is refused by name',
    (name) => {
      expect(() => map(fakeClock(), { [name]: () => 1 })).toThrow(`unknown option '${name}'`)
    },
  )
})
