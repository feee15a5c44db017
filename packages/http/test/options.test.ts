import { createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, mapStore } from '@flow-cache/core/testing'
import { httpCache } from '@flow-cache/http'
import { isInnerList, parseList, Token } from 'structured-headers'
import { expect, it } from 'vitest'
import { counting, setUp } from './set-up.js'

const clock = fakeClock()
const cache = createCache({ store: mapStore(clock), clock })

it.each<[string, typeof TypeError | typeof RangeError, object]>([
  ['cache must be a cache of flow-cache, got undefined', TypeError, { cache: undefined }],
  ["unknown option 'ttl' in httpCache; known are cache, key", TypeError, { ttl: 5 }],
  ["key must be a function, got 'url'", TypeError, { key: 'url' }],
  ["credentials must be a list of header names, got 'x'", TypeError, { credentials: 'x' }],
  ['credentials must be a list of header names', TypeError, { credentials: ['a b'] }],
  ['maxBodyBytes must be a whole number of at least 0, got -1', RangeError, { maxBodyBytes: -1 }],
  ['maxVariants must be a whole number of at least 1, got 0', RangeError, { maxVariants: 0 }],
  ["maxVariants must be a number, got '5'", TypeError, { maxVariants: '5' }],
  ['revalidateFor must not be negative', RangeError, { revalidateFor: -1 }],
  ['heuristic must be from 0 to 1, got 2', RangeError, { heuristic: 2 }],
  ["cacheStatus must be a name without spaces, or false, got 'a b'", TypeError, { cacheStatus: 'a b' }],
  ['waitUntil must be a function', TypeError, { waitUntil: 5 }],
  ["obeyRequests must be true or false, got 'no'", TypeError, { obeyRequests: 'no' }],
  ['clock must be an object with now(), got object', TypeError, { clock: {} }],
])('refuses: %s', (message, Type, options) => {
  const make = (): unknown => httpCache({ cache, ...options })
  expect(make).toThrow(Type)
  expect(make).toThrow(message)
})

it('refuses a handler that is no function', async () => {
  const http = httpCache({ cache })
  expect(() => http.wrap(undefined as never)).toThrow('handler must be a function, got undefined')
  await expect(http.respond(new Request('http://a.test'), undefined as never)).rejects.toThrow(TypeError)
})

it.each<[string, unknown]>([
  ['object', Promise.resolve('a')],
  ['object', { name: 'a' }],
  ['undefined', undefined],
  ['null', null],
  ['number', 5],
])('refuses a key that answers with anything but text: %s', async (shown, name) => {
  const { get, send, http, asked } = setUp(counting({ 'cache-control': 'max-age=60' }), {
    key: () => name as string,
  })
  const message = `what key answers must be a string, got ${shown}`
  await expect(get()).rejects.toThrow(message)
  await expect(http.invalidate('http://shop.test/')).rejects.toThrow(message)
  // Nothing has changed that could not be ended.
  await expect(send('POST')).rejects.toThrow(message)
  expect(asked.length).toBe(0)
})

it.each<[string, unknown]>([
  ["'text'", 'text'],
  ['undefined', undefined],
  ['object', {}],
])('a handler that answers with anything but a Response is an error: %s', async (shown, answer) => {
  const { get, send } = setUp(() => answer as Response)
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
    await expect(send(method)).rejects.toThrow(`what the handler answers must be a Response, got ${shown}`)
  }
  await expect(get({ range: 'bytes=0-1' })).rejects.toThrow(TypeError)
})

it('refuses what is no request', async () => {
  for (const request of [undefined, null, 'http://shop.test/', { url: 'http://shop.test/', method: 'GET' }]) {
    const answer = httpCache({ cache }).respond(request as Request, () => new Response(''))
    await expect(answer).rejects.toThrow('request must be a Request')
  }
})

it('Cache-Status is a structured field, beside what other caches say', async () => {
  const { get, seconds } = setUp(
    counting({ 'cache-control': 'max-age=60', 'cache-status': 'inner; fwd=uri-miss' }),
    { cacheStatus: 'shop.example/1' },
  )
  await get()
  await seconds(5)
  const [[name, params]] = parseList((await get()).headers.get('cache-status')!) as [
    [Token, Map<string, unknown>],
  ]
  expect([name.toString(), [...params]]).toEqual([
    'shop.example/1',
    [
      ['hit', true],
      ['ttl', 55],
    ],
  ])
  const other = setUp(counting({ 'cache-status': 'inner; hit' }))
  const list = parseList((await other.get()).headers.get('cache-status')!)
  expect(list.map((item) => !isInnerList(item) && (item[0] as Token).toString())).toEqual([
    'inner',
    'flow-cache',
  ])
  expect(list[1]![1].get('fwd')).toBeInstanceOf(Token)
})

it('cacheStatus: false says nothing', async () => {
  const { get } = setUp(counting({ 'cache-control': 'max-age=60' }), { cacheStatus: false })
  expect([(await get()).headers.has('cache-status'), (await get()).headers.has('cache-status')]).toEqual([
    false,
    false,
  ])
})

it('what a platform hands to a handler is handed on, and its waitUntil is given the work behind a response', async () => {
  const { http, seconds } = setUp(counting({}))
  const seen: unknown[] = []
  const answer = http.wrap(
    (request, env: { name: string }, context: { waitUntil(work: Promise<unknown>): void }) => {
      seen.push(env.name, typeof context.waitUntil)
      return new Response('', { headers: { 'cache-control': 'max-age=1, stale-while-revalidate=60' } })
    },
  )
  const work: Promise<unknown>[] = []
  const context = { waitUntil: (one: Promise<unknown>) => void work.push(one) }
  const ask = () => answer(new Request('http://shop.test/'), { name: 'env' }, context)
  await ask()
  await seconds(2)
  await ask()
  await Promise.all(work)
  expect([seen, work.length]).toEqual([['env', 'function', 'env', 'function'], 1])
})

it('a request of a class of its own stays one', async () => {
  class NextRequest extends Request {
    get nextUrl(): URL {
      return new URL(this.url)
    }
  }
  const { http } = setUp(counting({}))
  const answer = http.wrap(
    (request) =>
      new Response((request as NextRequest).nextUrl.pathname, { headers: { 'cache-control': 'max-age=60' } }),
  )
  expect(await (await answer(new NextRequest('http://shop.test/a'))).text()).toBe('/a')
})

it('a store that fails costs a call of the handler, and nothing else', async () => {
  const store = faultyStore(mapStore(clock))
  for (const onStoreError of ['ignore', 'throw'] as const) {
    const sick = createCache({ store, clock, onStoreError })
    const answer = httpCache({ cache: sick, clock }).wrap(counting({ 'cache-control': 'max-age=60' }))
    store.fail('reject')
    for (let i = 1; i <= 3; i++)
      expect(await (await answer(new Request('http://a.test'))).text()).toBe(`call ${i}`)
    store.fail('none')
  }
})

it('what somebody else has under its keys is a miss', async () => {
  const { get, cache } = setUp(counting({ 'cache-control': 'max-age=60' }))
  for (const value of [1, null, { kind: 'response' }, { kind: 'response', layout: 2 }]) {
    await cache.set('http:anyone::http://shop.test/', value)
    expect((await get()).status).toBe(200)
    expect((await get()).headers.get('age')).toBe('0')
  }
})

it('a cache that is closed still has its handler', async () => {
  const { get, cache } = setUp(counting({ 'cache-control': 'max-age=60' }))
  await cache.close()
  expect(await (await get()).text()).toBe('call 1')
})
