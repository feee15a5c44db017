import { gate, settle } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'
import { said, setUp } from './set-up.js'

const headers = { 'cache-control': 'max-age=60' }
const url = 'http://shop.test/'

/** A body whose chunks come when the test sends them, whoever pulls. */
function pushed() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let ended: unknown
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: (reason) => void (ended = reason ?? 'cancelled'),
  })
  return {
    body,
    push: (bytes: number): void => {
      if (ended === undefined) controller.enqueue(new Uint8Array(bytes))
    },
    close: () => controller.close(),
    /** Why the source was told to end; `undefined` while it was not. */
    ended: () => ended,
  }
}

/** Asks as a client that can leave. */
function client(respond: (request: Request) => Promise<Response>) {
  const leaving = new AbortController()
  const response = respond(new Request(url, { signal: leaving.signal }))
  const outcome = response.then(
    () => 'answered',
    (error: unknown) => String(error),
  )
  return { response, outcome, leave: () => leaving.abort(new Error('gone')) }
}

it.each([
  ['is being read', 10],
  ['has not begun', 0],
])('a body that %s ends when the last client leaves', async (_, bytes) => {
  const source = pushed()
  const { answer } = setUp(() => new Response(source.body, { headers }))
  const [one, two] = [client(answer), client(answer)]
  await settle()
  source.push(bytes)
  await settle()
  one.leave()
  await settle()
  expect([await one.outcome, source.ended()]).toEqual(['Error: gone', undefined])
  two.leave()
  await settle()
  expect([await two.outcome, source.ended()]).toEqual(['Error: gone', new Error('gone')])
})

it('a body that others wait for is read to its end, and kept', async () => {
  const source = pushed()
  const { answer } = setUp(() => new Response(source.body, { headers }))
  const [one, two] = [client(answer), client(answer)]
  await settle()
  one.leave()
  source.push(3)
  source.close()
  const response = await two.response
  expect([(await response.arrayBuffer()).byteLength, said(response)]).toEqual([
    3,
    'fwd=uri-miss; ttl=60; collapsed',
  ])
  expect(said(await client(answer).response)).toBe('hit; ttl=60')
})

it.each<[string, Record<string, string>]>([
  ['may be kept', headers],
  ['may not', { 'cache-control': 'private' }],
  ['is longer than maxBodyBytes', { ...headers, 'content-length': '5000000' }],
])('a response ends that arrives when everybody has left, if it %s', async (_, given) => {
  const source = pushed()
  const held = gate()
  const { answer } = setUp(async () => {
    await held.wait()
    return new Response(source.body, { headers: given })
  })
  const one = client(answer)
  await held.arrived
  one.leave()
  await one.outcome
  held.open()
  await settle()
  expect(source.ended()).toEqual(new Error('gone'))
})

it.each<[string, Record<string, string>]>([
  ['is not for others', { 'cache-control': 'private' }],
  ['says that it is longer than maxBodyBytes', { ...headers, 'content-length': '21' }],
  ['grows past maxBodyBytes', headers],
])('a response ends whose client has left, if it %s; the others ask for themselves', async (_, given) => {
  const sources = [pushed(), pushed()]
  const held = gate()
  let calls = 0
  const { answer } = setUp(
    async () => {
      const { body } = sources[calls++]!
      await held.wait()
      return new Response(body, { headers: given })
    },
    { maxBodyBytes: 20 },
  )
  const [one, two] = [client(answer), client(answer)]
  await held.arrived
  one.leave()
  await one.outcome
  held.open()
  await settle()
  sources[0]!.push(21)
  await settle()
  expect([sources[0]!.ended() === undefined, sources[1]!.ended(), calls]).toEqual([false, undefined, 2])
  sources[1]!.push(22)
  const reader = (await two.response).body!.getReader()
  expect((await reader.read()).value!.byteLength).toBe(22)
  await reader.cancel()
})

it('a body ends that takes longer than timeouts.load', async () => {
  const source = pushed()
  const { answer, clock } = setUp(() => new Response(source.body, { headers }))
  const one = client(answer)
  await settle()
  await clock.advance(600_000)
  expect(await one.outcome).toContain('timeouts.load')
  expect(source.ended()).toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
})

it('a body ends when the cache closes before it is read, and the request is answered without the cache', async () => {
  const sources = [pushed(), pushed()]
  let calls = 0
  const { answer, cache, clock } = setUp(() => new Response(sources[calls++]!.body, { headers }))
  const one = client(answer)
  await settle()
  const closed = cache.close()
  await clock.advance(60_000)
  await closed
  expect(sources[0]!.ended()).toMatchObject({ code: 'ERR_CLOSED' })
  sources[1]!.push(7)
  sources[1]!.close()
  expect((await (await one.response).arrayBuffer()).byteLength).toBe(7)
})

it('a body that is asked for behind a response ends with the cache too', async () => {
  const source = pushed()
  let calls = 0
  const { get, cache, clock, seconds } = setUp(
    () =>
      new Response(calls++ === 0 ? 'old' : source.body, {
        headers: { 'cache-control': 'max-age=1, stale-while-revalidate=60' },
      }),
  )
  await get()
  await seconds(2)
  expect(await (await get()).text()).toBe('old')
  await settle()
  const closed = cache.close()
  await clock.advance(60_000)
  await closed
  expect(source.ended()).toMatchObject({ code: 'ERR_CLOSED' })
})

it('a body that is too long is read at the pace of its reader, and ends with it', async () => {
  let pulled = 0
  let ended = false
  const { get } = setUp(
    () =>
      new Response(
        new ReadableStream<Uint8Array>(
          {
            pull: (controller) => controller.enqueue(new Uint8Array(100).fill(++pulled)),
            cancel: () => void (ended = true),
          },
          { highWaterMark: 0 },
        ),
        { headers },
      ),
    { maxBodyBytes: 1_000 },
  )
  const reader = (await get()).body!.getReader()
  await settle()
  expect(pulled).toBe(11)
  for (let i = 1; i <= 13; i++) expect((await reader.read()).value![0]).toBe(i)
  await settle()
  expect([pulled, ended]).toEqual([13, false])
  await reader.cancel()
  expect(ended).toBe(true)
})

it('a body that breaks off when it is told to end disturbs nobody', async () => {
  const failing = new ReadableStream({
    cancel: () => {
      throw new Error('cannot end')
    },
  })
  const { answer } = setUp(() => new Response(failing, { headers }))
  const one = client(answer)
  await settle()
  one.leave()
  expect(await one.outcome).toBe('Error: gone')
})
