import { createCache } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { cacheFn, cacheNode, type CacheNodeOptions, defineNode, runNode } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import { info, output } from './results.js'

const open = (clock: FakeClock) => createCache({ store: mapStore(clock), clock })

/** A cached node that answers with the number of its run, or fails. */
function counter(clock: FakeClock, options: Partial<CacheNodeOptions<number, number>>) {
  const state = { runs: 0, fails: false }
  const node = defineNode<number, number>('n', () => {
    state.runs++
    if (state.fails) throw new Error(`down ${state.runs}`)
    return state.runs
  })
  const cache = open(clock)
  return { state, cache, cached: cacheNode(node, { cache, clock, scope: 'global', ttl: '1m', ...options }) }
}

describe('stale', () => {
  it('gives an old answer at once while a new one is made behind, and counts what that took', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    const second = gate()
    let runs = 0
    const node = defineNode<number, number>('n', async () => {
      if (++runs === 2) await second.wait()
      await clock.advance(100)
      return runs
    })
    const cached = cacheNode(node, { cache, clock, scope: 'global', ttl: '1m', stale: '10m' })
    await runNode(cached, 1)
    await clock.advance(60_000)
    const old = await runNode(cached, 1)
    expect([output(old), info(old).status, info(old).ttlMs]).toEqual([1, 'stale', 0])
    second.open()
    await cache.drain()
    const fresh = await runNode(cached, 1)
    expect([output(fresh), info(fresh).status, runs]).toEqual([2, 'hit', 2])
    expect(cached.report()).toMatchObject({ hits: 1, stale: 1, misses: 1, spentMs: 200, savedMs: 200 })
  })

  it('ends when it says, also where staleIfError goes on longer: then the caller waits for the one new run', async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, { stale: '1m', staleIfError: '1h' })
    await runNode(cached, 1)
    await clock.advance(3 * 60_000)
    const result = await runNode(cached, 1)
    expect([output(result), state.runs]).toEqual([2, 2])
    state.fails = true
    await clock.advance(3 * 60_000)
    const old = await runNode(cached, 1)
    expect([output(old), info(old).status, state.runs]).toEqual([2, 'stale', 3])
  })

  it('is never without the option', async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, {})
    await runNode(cached, 1)
    await clock.advance(60_000)
    const result = await runNode(cached, 1)
    expect([output(result), info(result).status, state.runs]).toEqual([2, 'miss', 2])
    expect(info(result).reason).toBe('expired')
  })
})

describe('staleIfError', () => {
  it('gives the old answer where the step fails, and the failure when its time is over', async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, { staleIfError: '10m' })
    await runNode(cached, 1)
    state.fails = true
    await clock.advance(2 * 60_000)
    const old = await runNode(cached, 1)
    expect([output(old), info(old).status]).toEqual([1, 'stale'])
    await clock.advance(10 * 60_000)
    expect(await runNode(cached, 1)).toMatchObject({ success: false })
  })

  it('wins over negativeTtl while there is an old answer', async () => {
    const clock = fakeClock()
    const state = { runs: 0, fails: false }
    const node = {
      id: 'n',
      execute: async () =>
        state.fails
          ? { success: false as const, error: { message: 'no' } }
          : { success: true as const, output: ++state.runs },
    }
    const both = cacheNode(node, {
      cache: open(clock),
      clock,
      scope: 'global',
      ttl: '1m',
      staleIfError: '10m',
      negativeTtl: () => '5m',
    })
    await runNode(both, 1)
    state.fails = true
    await clock.advance(2 * 60_000)
    expect(output(await runNode(both, 1))).toBe(1)
    await clock.advance(20 * 60_000)
    expect(await runNode(both, 1)).toMatchObject({ success: false, error: { message: 'no' } })
    expect(info(await runNode(both, 1)).status).toBe('hit')
  })
})

describe('negativeTtl', () => {
  const failing = (): { runs: number; id: string; execute: () => Promise<never> } => {
    const node = {
      id: 'f',
      runs: 0,
      execute: async () =>
        ({ success: false, error: { message: `no ${++node.runs}`, code: 'E', cause: 'c' } }) as never,
    }
    return node
  }

  it('remembers a failure for as long as it says, by what failed', async () => {
    const clock = fakeClock()
    const node = failing()
    const cached = cacheNode(node, {
      cache: open(clock),
      clock,
      scope: 'global',
      stale: '1h',
      negativeTtl: ({ code }) => (code === 'E' ? '10s' : 0),
    })
    expect(await runNode(cached, 1)).toMatchObject({ error: { message: 'no 1' } })
    expect(await runNode(cached, 1)).toMatchObject({ error: { message: 'no 1', code: 'E' } })
    await clock.advance(10_000)
    const next = await runNode(cached, 1)
    expect(next).toMatchObject({ error: { message: 'no 2' }, metadata: { cache: { status: 'miss' } } })
  })

  it.each([0, 'soon', -1])('of %j remembers nothing, and what is wrong is told', async (ttl) => {
    const clock = fakeClock()
    const node = failing()
    const events: unknown[] = []
    const cached = cacheNode(node, {
      cache: open(clock),
      clock,
      scope: 'global',
      negativeTtl: () => ttl as number,
      onEvent: (event) => events.push(event),
    })
    await runNode(cached, 1)
    await runNode(cached, 1)
    expect(node.runs).toBe(2)
    expect(events).toHaveLength(ttl === 0 ? 0 : 2)
  })
})

describe('maxAge of a call', () => {
  it('takes no older answer: the step runs, and its answer is kept for others', async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, { ttl: '1h' })
    await runNode(cached, 1)
    await clock.advance(30_000)
    const call = async (maxAge: string) => runNode(cached, 1, { cache: { maxAge: maxAge as '1s' } })
    expect(info(await call('30s')).status).toBe('hit')
    const young = await call('10s')
    expect([output(young), info(young).status, info(young).reason]).toEqual([2, 'miss', 'max-age'])
    expect([output(await call('0s')), state.runs]).toEqual([2, 2])
    const only = { mode: 'only-if-cached', maxAge: '1s' } as const
    await clock.advance(2_000)
    expect(await runNode(cached, 1, { cache: only })).toMatchObject({ error: { code: 'CACHE_MISS' } })
  })

  it('of a step that fails is the failure, unless staleIfError lets the old answer stand in; it runs once', async () => {
    for (const staleIfError of [undefined, '1h'] as const) {
      const clock = fakeClock()
      const { cached, state } = counter(clock, { ttl: '1h', staleIfError })
      await runNode(cached, 1)
      await clock.advance(30_000)
      state.fails = true
      const result = await runNode(cached, 1, { cache: { maxAge: '1s' } })
      expect(result.success).toBe(staleIfError !== undefined)
      expect(state.runs).toBe(2)
    }
  })
})

describe('refresh', () => {
  it('runs and keeps, also where stale would give an old answer', async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, { stale: '1h' })
    await runNode(cached, 1)
    const refreshed = await runNode(cached, 1, { cache: { mode: 'refresh' } })
    expect([output(refreshed), info(refreshed).status]).toEqual([2, 'refresh'])
    expect(output(await runNode(cached, 1))).toBe(2)
    expect(state.runs).toBe(2)
  })

  it('of a step that fails is the failure, unless staleIfError lets the old answer stand in', async () => {
    for (const staleIfError of [undefined, '1h'] as const) {
      const { cached, state } = counter(fakeClock(), { staleIfError })
      await runNode(cached, 1)
      state.fails = true
      const result = await runNode(cached, 1, { cache: { mode: 'refresh' } })
      expect(result.success).toBe(staleIfError !== undefined)
      if (result.success) expect([output(result), info(result).status]).toEqual([1, 'stale'])
      // What was there is there still.
      expect(output(await runNode(cached, 1))).toBe(1)
      expect(state.runs).toBe(2)
    }
  })
})

describe('no-store', () => {
  it('takes what is there, keeps nothing new, and says nothing of it', async () => {
    const events: unknown[] = []
    const { cached, state } = counter(fakeClock(), { onEvent: (event) => events.push(event) })
    const noStore = { cache: { mode: 'no-store' } } as const
    expect(output(await runNode(cached, 1, noStore))).toBe(1)
    expect(output(await runNode(cached, 1))).toBe(2)
    expect(info(await runNode(cached, 1, noStore)).status).toBe('hit')
    expect([state.runs, events]).toEqual([2, []])
  })
})

describe('ttl of a call', () => {
  it("replaces the step's for what the call keeps", async () => {
    const clock = fakeClock()
    const { cached, state } = counter(clock, {})
    expect(info(await runNode(cached, 1, { cache: { ttl: '1s' } })).ttlMs).toBe(1_000)
    await clock.advance(1_000)
    await runNode(cached, 1)
    expect(state.runs).toBe(2)
  })
})

describe('cacheFn', () => {
  it('ages as a node does', async () => {
    const clock = fakeClock()
    let calls = 0
    const fn = cacheFn(() => ++calls, {
      cache: open(clock),
      clock,
      name: 'f',
      scope: 'global',
      ttl: '1m',
      staleIfError: '1h',
      stale: '1m',
    })
    await fn()
    await clock.advance(90_000)
    expect(await fn.ask({})).toMatchObject({ value: 1, cache: { status: 'stale' } })
    expect(await fn.ask({ mode: 'refresh' })).toMatchObject({ cache: { status: 'refresh' } })
    await expect(fn.ask({ mode: 'only-if-cached', namespace: 'other' })).rejects.toMatchObject({
      code: 'ERR_CACHE_MISS',
    })
  })
})
