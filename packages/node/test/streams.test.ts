import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { cacheNode, defineNode, runNode } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import { caches } from './caches.js'
import { all, output } from './results.js'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })

describe('a stream whose only reader leaves', () => {
  it("goes on and is kept with onAbort: 'finish'", async () => {
    const cache = open()
    const half = gate()
    const node = defineNode('s', async function () {
      return (async function* () {
        yield 'a'
        await half.wait()
        yield 'b'
      })()
    })
    const cached = cacheNode(node, { cache, scope: 'global', stream: { onAbort: 'finish' } })
    const result = await runNode(cached, 1)
    if (!result.success) throw new Error(result.error.message)
    const iterator = result.output[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.return?.(undefined)
    half.open()
    await cache.drain()
    const hit = await runNode(cached, 1, { cache: { mode: 'only-if-cached' } })
    expect(hit).toMatchObject({ success: true, metadata: { cache: { status: 'hit' } } })
  })
})

describe('the pace of a replay', () => {
  const slow = (clock: ReturnType<typeof fakeClock>) =>
    defineNode('s', async function () {
      return (async function* () {
        yield 'a'
        await clock.advance(300)
        yield 'b'
        await clock.advance(20_000)
        yield 'c'
      })()
    })

  it.each([
    ['instant', [0, 0, 0]],
    ['recorded', [0, 300, 5_000]],
    [{ ms: 50 }, [50, 50, 50]],
    [{ ms: 0 }, [0, 0, 0]],
  ] as const)(
    '%j gives the chunks after %j ms, and no pause longer than five seconds',
    async (pace, pauses) => {
      const clock = fakeClock()
      const cache = open(clock)
      const cached = cacheNode(slow(clock), {
        cache,
        clock,
        scope: 'global',
        ttl: Infinity,
        stream: { pace },
      })
      expect(await all(output(await runNode(cached, 1)))).toEqual(['a', 'b', 'c'])
      await cache.drain()
      const replay = output(await runNode(cached, 1))[Symbol.asyncIterator]()
      for (const [i, pause] of pauses.entries()) {
        const next = replay.next()
        let given = false
        void next.then(() => (given = true))
        if (pause > 0) {
          await clock.advance(pause - 1)
          expect(given).toBe(false)
          await clock.advance(1)
        }
        expect((await next).value).toBe('abc'[i])
      }
      expect((await replay.next()).done).toBe(true)
    },
  )

  it('can be left in the middle, and the next reader gets it whole', async () => {
    const clock = fakeClock()
    const cache = open(clock)
    const cached = cacheNode(slow(clock), { cache, clock, scope: 'global', ttl: Infinity })
    await all(output(await runNode(cached, 1)))
    await cache.drain()
    for await (const chunk of output(await runNode(cached, 1))) if (chunk === 'b') break
    expect(await all(output(await runNode(cached, 1)))).toEqual(['a', 'b', 'c'])
  })

  it.each([{ ms: -1 }, { ms: Infinity }, 'slow'])('%j is refused', (pace) => {
    const options = { cache: open(), scope: 'global', stream: { pace: pace as 'instant' } } as const
    expect(() => cacheNode(slow(fakeClock()), options)).toThrow(/stream\.pace/)
  })
})

describe('a ReadableStream', () => {
  it('is given as one, live and from the cache', async () => {
    const cache = open()
    let runs = 0
    const node = defineNode('s', () => {
      runs++
      return new ReadableStream<string>({
        start(controller) {
          controller.enqueue('a')
          controller.enqueue('b')
          controller.close()
        },
      })
    })
    const cached = cacheNode(node, { cache, scope: 'global' })
    for (let i = 0; i < 2; i++) {
      const result = await runNode(cached, 1)
      if (!result.success) throw new Error(result.error.message)
      expect(result.output).toBeInstanceOf(ReadableStream)
      const chunks: string[] = []
      for await (const chunk of result.output) chunks.push(chunk)
      expect(chunks).toEqual(['a', 'b'])
      await cache.drain()
    }
    expect(runs).toBe(1)
  })
})

it('a caller who comes after an invalidation does not read along with what began before', async () => {
  const cache = open()
  const half = gate()
  let runs = 0
  const node = defineNode('s', async function () {
    const run = ++runs
    return (async function* () {
      yield `start ${run}`
      await half.wait()
    })()
  })
  const cached = cacheNode(node, { cache, scope: 'global' })
  await runNode(cached, 1)
  await cached.invalidate(1)
  const result = await runNode(cached, 1)
  half.open()
  if (!result.success) throw new Error(result.error.message)
  const first = await result.output[Symbol.asyncIterator]().next()
  expect(first.value).toBe('start 2')
})

describe.each(Object.entries(caches))('a reader who has got the whole stream, on %s', (_, openCache) => {
  it('may abort its signal at once: the stream is kept', async () => {
    await using cache = openCache()
    const stream = defineNode('s', async function* () {
      yield 'a'
      yield 'b'
    } as () => AsyncGenerator<string>)
    // A tag that the loader adds makes storing take longer.
    const cached = cacheNode(stream, { cache, scope: 'global', tags: () => ['t'] })
    const request = new AbortController()
    const result = await runNode(cached, 1, { signal: request.signal })
    if (!result.success) throw new Error(result.error.message)
    for await (const _ of result.output) void 0
    request.abort()
    await cache.drain()
    expect(await runNode(cached, 1)).toMatchObject({ metadata: { cache: { status: 'hit' } } })
    expect(cache.stats()).toMatchObject({ loads: 1, loadErrors: 0, fenced: 0 })
  })
})
