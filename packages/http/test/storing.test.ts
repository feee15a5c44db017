import { expect, it } from 'vitest'
import { counting, said, setUp, start } from './set-up.js'

const date = (seconds: number): string => new Date(start + seconds * 1_000).toUTCString()

async function calls(
  response: Record<string, string>,
  { request = {}, status = 200, wait = 0, options = {} } = {},
): Promise<number> {
  const { get, asked, seconds } = setUp(counting(response, status), options)
  await get(request)
  await seconds(wait)
  await get(request)
  return asked.length
}

it.each<[string, Record<string, string>, object?]>([
  ['max-age', { 'cache-control': 'max-age=60' }],
  ['s-maxage', { 'cache-control': 's-maxage=60, max-age=0' }],
  ['Expires', { expires: date(60) }],
  ['Expires after Date', { date: date(-60), expires: date(60) }, { wait: 59 }],
  ['Expires as RFC 850 had it', { expires: 'Thursday, 01-Jan-26 00:01:00 GMT' }, { wait: 59 }],
  ['Expires as asctime() has it', { expires: 'Thu Jan  1 00:01:00 2026' }, { wait: 59 }],
  ['a space around the comma', { 'cache-control': 'public , max-age=60 , immutable' }],
  ['upper case', { 'cache-control': 'Public, MAX-AGE=60' }],
  ['quotes', { 'cache-control': 'max-age="60"' }],
  ['immutable beside max-age', { 'cache-control': 'max-age=60, immutable' }],
  ['must-revalidate, while it is fresh', { 'cache-control': 'max-age=60, must-revalidate' }],
  ['404', { 'cache-control': 'max-age=60' }, { status: 404 }],
  ['301', { 'cache-control': 'max-age=60', location: '/new' }, { status: 301 }],
  ['no-store within another word', { 'cache-control': 'max-age=60, x-no-storey=1' }],
  [
    'public, to those who show credentials',
    { 'cache-control': 'public, max-age=60' },
    { request: { authorization: 'a' } },
  ],
  ['s-maxage, to those who send cookies', { 'cache-control': 's-maxage=60' }, { request: { cookie: 'a=1' } }],
  ['heuristic, if asked for', { 'last-modified': date(-1_000) }, { wait: 99, options: { heuristic: 0.1 } }],
])('is kept: %s', async (_, response, how) => {
  expect(await calls(response, how)).toBe(1)
})

it.each<[string, Record<string, string>, object?]>([
  ['what says nothing', {}],
  ['no-store', { 'cache-control': 'no-store, max-age=60' }],
  ['no-store in capitals', { 'cache-control': 'max-age=60, No-Store' }],
  ['no-store with a value', { 'cache-control': 'max-age=60, no-store=1' }],
  ['no-store after a semicolon', { 'cache-control': 'max-age=60; no-store' }],
  ['private', { 'cache-control': 'private, max-age=60' }],
  ['private with fields', { 'cache-control': 'max-age=60, private="x-user"' }],
  ['no-cache without a validator', { 'cache-control': 'no-cache, max-age=60' }],
  ['no-cache with fields', { 'cache-control': 'max-age=60, no-cache="x-user"' }],
  ['Pragma', { pragma: 'no-cache', expires: date(60) }],
  ['max-age=0', { 'cache-control': 'max-age=0' }],
  ['max-age twice', { 'cache-control': 'max-age=60, max-age=90' }],
  ['a negative max-age', { 'cache-control': 'max-age=-60' }],
  ['max-age with an exponent', { 'cache-control': 'max-age=1e3' }],
  ['max-age with a fraction', { 'cache-control': 'max-age=60.5' }],
  ['max-age with a space before its sign', { 'cache-control': 'max-age =60' }],
  ['max-age with a space behind it', { 'cache-control': 'max-age= 60' }],
  ['max-age with a unit', { 'cache-control': 'max-age=60s' }],
  ['max-age in half a quote', { 'cache-control': 'max-age="60' }],
  ['max-age in the text of another', { 'cache-control': 'x="max-age=60, a"' }],
  ['max-age that is no number', { 'cache-control': 'max-age=soon', expires: date(60) }],
  ['s-maxage=0 beside max-age', { 'cache-control': 's-maxage=0, max-age=60' }],
  ['Expires in the past', { expires: date(-1) }],
  ['Expires that is no date', { expires: '0' }],
  ['Expires of another form', { expires: '2027-01-01' }],
  ['Expires without a zone', { expires: 'Fri, 01 Jan 2027 00:00:00' }],
  ['Expires in another zone', { expires: 'Fri, 01 Jan 2027 00:00:00 +0100' }],
  ['Expires twice', { expires: `${date(60)}, ${date(60)}` }],
  ['Expires and more', { expires: '1 Jan 2099 00:00:00 GMT, 0' }],
  ['Expires on a day that is none', { expires: 'Mon, 31 Feb 2027 00:00:00 GMT' }],
  ['what was old when it came', { 'cache-control': 'max-age=60', age: '60' }],
  ['what was made long ago', { 'cache-control': 'max-age=60', date: date(-60) }],
  ['Set-Cookie', { 'cache-control': 'public, max-age=60', 'set-cookie': 'id=1' }],
  ['Vary: *', { 'cache-control': 'max-age=60', vary: 'Accept, *' }],
  ['Vary that is no list of names', { 'cache-control': 'max-age=60', vary: 'a b' }],
  ['a part', { 'cache-control': 'max-age=60', 'content-range': 'bytes 0-1/5' }],
  ['206', { 'cache-control': 'max-age=60' }, { status: 206 }],
  ['500', { 'cache-control': 'max-age=60' }, { status: 500 }],
  ['401', { 'cache-control': 'max-age=60' }, { status: 401 }],
  ['a stream of events', { 'cache-control': 'max-age=60', 'content-type': 'text/event-stream' }],
  ['what was made for credentials', { 'cache-control': 'max-age=60' }, { request: { authorization: 'a' } }],
  [
    'the same with must-revalidate',
    { 'cache-control': 'max-age=60, must-revalidate' },
    { request: { authorization: 'a' } },
  ],
  ['what was made for cookies', { 'cache-control': 'max-age=60' }, { request: { cookie: 'a=1' } }],
  [
    'a request with no-store',
    { 'cache-control': 'max-age=60' },
    { request: { 'cache-control': 'no-store' } },
  ],
  ['Last-Modified alone', { 'last-modified': date(-1_000) }],
  [
    'heuristic, when that is over',
    { 'last-modified': date(-1_000) },
    { wait: 100, options: { heuristic: 0.1 } },
  ],
  [
    'more tags than there may be',
    { 'cache-control': 'max-age=60', 'cache-tag': Array.from({ length: 65 }, (_, i) => i).join() },
  ],
  ['a body longer than maxBodyBytes', { 'cache-control': 'max-age=60' }, { options: { maxBodyBytes: 5 } }],
  ['a body shorter than it says', { 'cache-control': 'max-age=60', 'content-length': '7' }],
])('is not kept: %s', async (_, response, how) => {
  expect(await calls(response, how)).toBe(2)
})

it.each<[string, Record<string, string>]>([
  ['max-age', { 'cache-control': 'max-age=9999999999' }],
  ['s-maxage', { 'cache-control': 's-maxage=99999999999999999999' }],
  ['Expires', { expires: 'Thu, 01 Jan 2099 00:00:00 GMT' }],
])('no response is fresh for more than a year: %s', async (_, response) => {
  const year = 31_536_000
  expect(await calls(response, { wait: year - 1 })).toBe(1)
  expect(await calls(response, { wait: year })).toBe(2)
})

it('a part of a resource is the handler’s, and so is what is asked for on conditions', async () => {
  const { get, asked } = setUp(counting({ 'cache-control': 'max-age=60', etag: '"1"' }))
  await get()
  for (const header of ['range', 'if-match', 'if-unmodified-since', 'upgrade']) {
    expect(said(await get({ [header]: 'x' }))).toBe('fwd=bypass')
  }
  expect(asked.length).toBe(5)
  expect(asked[1]!.headers.get('range')).toBe('x')
})

it('a kept response is the one before in status, headers and body, without what is between two processes', async () => {
  const { get, seconds } = setUp(
    () =>
      new Response(new Uint8Array([0, 255, 1]), {
        status: 203,
        statusText: 'As It Were',
        headers: {
          'cache-control': 'max-age=60',
          'content-type': 'image/x',
          connection: 'x-hop, close',
          'x-hop': '1',
          'keep-alive': '5',
          'x-own': 'é',
        },
      }),
  )
  await get()
  await seconds(5)
  const again = await get()
  expect([again.status, again.statusText]).toEqual([203, 'As It Were'])
  expect([...new Uint8Array(await again.arrayBuffer())]).toEqual([0, 255, 1])
  expect(Object.fromEntries(again.headers)).toEqual({
    age: '5',
    'cache-control': 'max-age=60',
    'cache-status': 'flow-cache; hit; ttl=55',
    'content-type': 'image/x',
    date: date(0),
    'x-own': 'é',
  })
})

it('a body that is too long arrives whole, also in pieces', async () => {
  const { get } = setUp(
    () => {
      let pieces = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (pieces++ < 100) controller.enqueue(new Uint8Array(100).fill(pieces))
          else controller.close()
        },
      })
      return new Response(body, { headers: { 'cache-control': 'max-age=60' } })
    },
    { maxBodyBytes: 1_000 },
  )
  const response = await get()
  expect(said(response)).toBe('fwd=uri-miss; detail=too-long')
  const bytes = new Uint8Array(await response.arrayBuffer())
  expect([bytes.length, bytes[0], bytes[9_999]]).toEqual([10_000, 1, 100])
})

it('a response that is not kept is handed on as it comes, not read first', async () => {
  const { get } = setUp(
    () => new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([7])) })),
  )
  const reader = (await get()).body!.getReader()
  expect((await reader.read()).value).toEqual(new Uint8Array([7]))
  await reader.cancel()
})

it('HEAD is answered from what GET has left, and leaves nothing itself', async () => {
  const { get, send, asked, seconds } = setUp(
    counting({ 'cache-control': 'max-age=60, stale-while-revalidate=60', 'x-own': '1' }),
  )
  expect(said(await send('HEAD'))).toBe('fwd=uri-miss')
  await get()
  const head = await send('HEAD')
  expect([head.headers.get('x-own'), await head.text(), said(head)]).toEqual(['1', '', 'hit; ttl=60'])
  await seconds(70)
  expect(said(await send('HEAD'))).toBe('fwd=stale')
  expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'HEAD'])
  expect(await (await get()).text()).toBe('call 2')
})

it('URLs are told apart by everything but the fragment, or by what key makes of requests', async () => {
  const plain = setUp(counting({ 'cache-control': 'max-age=60' }))
  for (const path of ['/a', '/a?b', '/a?b=1', '/A', '/a/']) await plain.get({}, path)
  expect(plain.asked.length).toBe(5)
  await plain.get({}, '/a#x')
  expect(plain.asked.length).toBe(5)

  const keyed = setUp(counting({ 'cache-control': 'max-age=60' }), {
    key: ({ url }) => new URL(url).pathname,
  })
  await keyed.get({}, '/a?utm=1')
  await keyed.get({}, '/a?utm=2')
  expect(keyed.asked.length).toBe(1)
})

it('a URL of more than 4,096 characters is not kept', async () => {
  const { get, asked } = setUp(counting({ 'cache-control': 'max-age=60' }))
  const path = `/${'a'.repeat(4_100)}`
  expect(said(await get({}, path))).toBe('fwd=bypass')
  await get({}, path)
  expect(asked.length).toBe(2)
})

it('a name with half a character is not kept, and can be asked for to be ended', async () => {
  const { get, send, http, asked } = setUp(counting({ 'cache-control': 'max-age=60' }), {
    key: () => '\ud800',
  })
  for (let i = 0; i < 2; i++) expect(said(await get())).toBe('fwd=bypass')
  await send('POST')
  await http.invalidate('http://shop.test/')
  expect(asked.length).toBe(3)
})

it('what a cache remembers of a resource beside its entry has one size, however long the URL is', async () => {
  const { get, cache } = setUp(
    ({ headers }) =>
      new Response('', {
        headers: { 'cache-control': headers.get('x-say')!, 'cache-tag': 'own', vary: 'x-a' },
      }),
  )
  for (const length of [1, 4_000]) {
    for (const say of ['max-age=60', 'private']) {
      const path = `/${'a'.repeat(length)}${say}`
      await get({ 'x-say': say }, path)
      const { tags } = await cache.explain(`http:anyone::http://shop.test${path}`)
      expect(tags.map((tag) => tag.length)).toEqual(say === 'private' ? [55] : [55, 3])
    }
  }
})
