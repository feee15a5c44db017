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

describe('a stream that is too long to keep', () => {
  const bytes = 1_000
  /** A node whose stream has a hundred chunks of 1,000 bytes, and who has asked it for how many. */
  const long = (maxBytes: number, onAbort: 'discard' | 'finish' = 'discard') => {
    const made = { chunks: 0, ended: false, runs: 0 }
    const node = defineNode('long', async function () {
      made.runs++
      return (async function* () {
        try {
          while (made.chunks < 100) yield new Uint8Array(bytes).fill(made.chunks++)
        } finally {
          made.ended = true
        }
      })()
    })
    const cache = open()
    const cached = cacheNode(node, { cache, scope: 'global', stream: { maxBytes, onAbort } })
    const read = async (signal?: AbortSignal) =>
      output(await runNode(cached, 1, { signal }))[Symbol.asyncIterator]()
    return { made, cache, read }
  }
  /** Lets all go on that can. */
  const settled = async () => new Promise<void>((resolve) => setImmediate(resolve))
  const take = async (reader: AsyncIterator<unknown>, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await reader.next()
    await settled()
  }

  it('is read as far as its reader asks, past the chunks that might have been kept', async () => {
    const { made, read } = long(10 * bytes)
    const reader = await read()
    await take(reader, 1)
    expect(made.chunks).toBe(11)
    await take(reader, 10)
    expect(made.chunks).toBe(11)
    await take(reader, 1)
    expect(made.chunks).toBe(12)
    await take(reader, 88)
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect(made).toEqual({ chunks: 100, ended: true, runs: 1 })
  })

  it.each([
    ['text', () => 'x'.repeat(bytes)],
    ['an ArrayBuffer', () => new ArrayBuffer(bytes)],
    ['an object', () => ({ type: 'text', delta: 'x'.repeat(bytes) })],
  ])('is noticed in chunks of %s', async (_, chunk) => {
    let made = 0
    const node = defineNode('long', async function* () {
      for (; made < 100; made++) yield chunk()
    } as () => AsyncGenerator)
    const options = { cache: open(), scope: 'global', stream: { maxBytes: 10 * bytes } } as const
    const reader = output(await runNode(cacheNode(node, options), 1))[Symbol.asyncIterator]()
    await take(reader, 1)
    expect(made).toBeLessThan(12)
    await reader.return?.(undefined)
  })

  it('runs once also where its first chunk is too long', async () => {
    const { made, read } = long(bytes / 2)
    const reader = await read()
    await take(reader, 100)
    expect((await reader.next()).done).toBe(true)
    expect(made.runs).toBe(1)
  })

  it('waits for the slowest reader, who is never further behind than maxBytes', async () => {
    const { made, read } = long(10 * bytes)
    const [fast, slow] = await Promise.all([read(), read()])
    const far = (async () => take(fast, 100))()
    await settled()
    // The first ten and one more, which nobody need have read.
    expect(made.chunks).toBe(11)
    await take(slow, 5)
    expect(made.chunks).toBe(16)
    await take(slow, 84)
    expect(made.chunks).toBe(100)
    await far
    expect(made.runs).toBe(1)
    expect(Array.from((await slow.next()).value as Uint8Array)[0]).toBe(89)
  })

  it.each(['leaves', 'aborts'])('does not wait for a reader who %s', async (how) => {
    const { made, read } = long(10 * bytes)
    const request = new AbortController()
    const [fast, slow] = await Promise.all([read(), read(request.signal)])
    const far = take(fast, 100)
    await take(slow, 1)
    expect(made.chunks).toBe(12)
    if (how === 'leaves') await slow.return?.(undefined)
    else request.abort()
    await far
    expect((await fast.next()).done).toBe(true)
    expect(made).toMatchObject({ chunks: 100, runs: 1 })
  })

  it('is ended when all have left', async () => {
    const { made, cache, read } = long(10 * bytes)
    const readers = await Promise.all([read(), read()])
    await take(readers[0], 11)
    for (const reader of readers) await reader.return?.(undefined)
    await cache.drain()
    expect(made).toEqual({ chunks: 11, ended: true, runs: 1 })
  })

  it("goes on to its end without readers with onAbort: 'finish'", async () => {
    const { made, cache, read } = long(10 * bytes, 'finish')
    const reader = await read()
    await take(reader, 1)
    await reader.return?.(undefined)
    await cache.drain()
    expect(made).toEqual({ chunks: 100, ended: true, runs: 1 })
  })
})

it('a reader who asks for several chunks at once gets each of them once', async () => {
  const node = defineNode('s', async function* () {
    yield 'a'
    yield 'b'
  } as () => AsyncGenerator<string>)
  const cached = cacheNode(node, { cache: open(), scope: 'global' })
  const reader = output(await runNode(cached, 1))[Symbol.asyncIterator]()
  const asked = await Promise.all([reader.next(), reader.next(), reader.next()])
  expect(asked.map(({ value }) => value as unknown)).toEqual(['a', 'b', undefined])
})
