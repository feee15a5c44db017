import { gate, settle } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import type { HttpCacheOptions } from '@flow-cache/http'
import { said, setUp } from './set-up.js'

/** A handler that waits, and says for whom it answered. */
function slow(headers: Record<string, string>, status = 200, options: Partial<HttpCacheOptions> = {}) {
  const held = gate()
  return {
    held,
    ...setUp(async (request) => {
      await held.wait()
      return new Response(`for ${request.headers.get('x-user')}`, { status, headers })
    }, options),
  }
}

const users = ['ada', 'bob', 'cyd', 'dan', 'eve']

describe('requests for one resource at one time', () => {
  it('ask the handler once, and share its response', async () => {
    const { get, held, asked } = slow({ 'cache-control': 'max-age=60' })
    const responses = users.map((user) => get({ 'x-user': user }))
    await settle()
    held.open()
    const all = await Promise.all(responses)
    expect(await Promise.all(all.map((one) => one.text()))).toEqual(users.map(() => 'for ada'))
    expect(all.map(said)).toEqual([
      'fwd=uri-miss; ttl=60; stored',
      ...users.slice(1).map(() => 'fwd=uri-miss; ttl=60; collapsed'),
    ])
    expect(asked.length).toBe(1)
  })

  it.each([
    ['nothing', {}],
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['no-store', { 'cache-control': 'no-store' }],
    ['a cookie', { 'cache-control': 'public, max-age=60', 'set-cookie': 'id=1' }],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: '*' }],
    ['Vary by what differs', { 'cache-control': 'max-age=60', vary: 'X-User' }],
    ['no-cache', { 'cache-control': 'no-cache', etag: '"1"' }],
  ] as [string, Record<string, string>][])(
    'get a response of their own each, if it says %s',
    async (_, headers) => {
      const { get, held } = slow(headers)
      const responses = users.map((user) => get({ 'x-user': user }))
      await settle()
      held.open()
      const all = await Promise.all(responses)
      expect(await Promise.all(all.map((one) => one.text()))).toEqual(users.map((user) => `for ${user}`))
    },
  )

  it('get an error of their own each', async () => {
    let calls = 0
    const { get } = setUp(async () => {
      throw new Error(`failure ${++calls}`)
    })
    const all = await Promise.allSettled(users.map(() => get()))
    expect(new Set(all.map((one) => String((one as PromiseRejectedResult).reason))).size).toBe(5)
  })

  it('do not wait for each other again, once it is known that nothing is kept', async () => {
    const { get, held, asked } = slow({})
    const first = get()
    await settle()
    held.open()
    await first
    const closed = gate()
    let waiting = 0
    const second = setUp(async () => {
      waiting++
      await closed.wait()
      return new Response('')
    })
    // The first of all is waited for.
    const all = users.map(() => second.get())
    await settle()
    expect(waiting).toBe(1)
    closed.open()
    await Promise.all(all)
    expect(waiting).toBe(5)
    const more = gate()
    const third = setUp(async () => {
      if (waiting++ > 5) await more.wait()
      return new Response('')
    })
    await third.get()
    const later = users.map(() => third.get())
    await settle()
    expect(waiting).toBe(11)
    more.open()
    await Promise.all(later)
    expect(asked.length).toBe(1)
  })

  it('do not wait for one that says no-store', async () => {
    const held = gate()
    let calls = 0
    const { get } = setUp(async () => {
      if (++calls === 1) await held.wait()
      return new Response(`call ${calls}`, { headers: { 'cache-control': 'max-age=60' } })
    })
    const first = get({ 'cache-control': 'no-store' })
    expect(await (await get()).text()).toBe('call 2')
    held.open()
    await first
  })

  it('go on when the one that asked leaves', async () => {
    const { held, http } = slow({ 'cache-control': 'max-age=60' })
    let aborted = false
    const handler = async (request: Request): Promise<Response> => {
      request.signal.addEventListener('abort', () => (aborted = true))
      await held.wait()
      return new Response('a', { headers: { 'cache-control': 'max-age=60' } })
    }
    const leaving = new AbortController()
    const url = 'http://shop.test/'
    const first = http.respond(new Request(url, { signal: leaving.signal }), handler)
    const second = http.respond(new Request(url), handler)
    await settle()
    leaving.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    held.open()
    expect([await (await second).text(), aborted]).toEqual(['a', false])
  })

  it('end when everybody has left', async () => {
    const { http } = slow({})
    let reason: unknown
    const handler = (request: Request): Promise<Response> =>
      new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject((reason = request.signal.reason)))
      })
    const leaving = new AbortController()
    const only = http.respond(new Request('http://shop.test/', { signal: leaving.signal }), handler)
    await settle()
    leaving.abort(new Error('gone'))
    await expect(only).rejects.toThrow('gone')
    await settle()
    expect(reason).toBeInstanceOf(Error)
  })
})

describe('those who show who they are', () => {
  it('never get what was made for those who do not, nor the other way round', async () => {
    const { get, asked } = setUp(
      ({ headers }) =>
        new Response(`for ${headers.get('authorization') ?? headers.get('cookie')}`, {
          headers: { 'cache-control': 'public, max-age=60' },
        }),
    )
    expect(await (await get()).text()).toBe('for null')
    expect(await (await get({ authorization: 'ada' })).text()).toBe('for ada')
    expect(await (await get()).text()).toBe('for null')
    // It says that it is public: then all of them may have it.
    expect(await (await get({ cookie: 'id=bob' })).text()).toBe('for ada')
    expect(asked.length).toBe(2)
  })

  it('get their own where the handler does not say that it is for all', async () => {
    const { get } = setUp(
      ({ headers }) =>
        new Response(`for ${headers.get('cookie')}`, { headers: { 'cache-control': 'max-age=60' } }),
    )
    expect(await (await get({ cookie: 'id=ada' })).text()).toBe('for id=ada')
    expect(await (await get({ cookie: 'id=bob' })).text()).toBe('for id=bob')
    expect(await (await get()).text()).toBe('for null')
    expect(await (await get({ cookie: 'id=cyd' })).text()).toBe('for id=cyd')
  })

  it('are those with the headers that credentials names', async () => {
    const { get, asked } = setUp(() => new Response('', { headers: { 'cache-control': 'max-age=60' } }), {
      credentials: ['x-api-key'],
    })
    for (let i = 0; i < 2; i++) await get({ 'x-api-key': 'a' })
    expect(asked.length).toBe(2)
    for (let i = 0; i < 2; i++) await get({ cookie: 'a' })
    expect(asked.length).toBe(3)
  })

  it('do not stand in keys', async () => {
    const { get, cache } = setUp(
      () => new Response('', { headers: { 'cache-control': 'public, max-age=60', vary: 'cookie' } }),
    )
    await get({ cookie: 'secret-1' })
    await get({ cookie: 'secret-2' })
    const keys: string[] = []
    for await (const key of cache.keys()) keys.push(key, JSON.stringify(await cache.get(key)))
    expect([keys.length, keys.join().includes('secret')]).toEqual([4, false])
  })
})

describe('Vary', () => {
  const language = (more: Record<string, string> = {}, options = {}) =>
    setUp(
      ({ headers }) =>
        new Response(`in ${headers.get('accept-language')}`, {
          headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language', ...more },
        }),
      options,
    )

  it('keeps a response for each of the values', async () => {
    const { get, asked } = language()
    for (let round = 0; round < 3; round++) {
      for (const tongue of ['de', 'en', 'fr']) {
        expect(await (await get({ 'accept-language': tongue })).text()).toBe(`in ${tongue}`)
      }
      expect(await (await get()).text()).toBe('in null')
      expect(await (await get({ 'accept-language': '' })).text()).toBe('in ')
    }
    expect(asked.length).toBe(5)
  })

  it('takes spaces around commas for nothing', async () => {
    const { get, asked } = language()
    await get({ 'accept-language': 'de, en' })
    await get({ 'accept-language': 'de,en' })
    expect(asked.length).toBe(1)
  })

  it('joins those alike, and asks for the others once each', async () => {
    const { get, asked } = language()
    const tongues = ['de', 'en', 'de', 'fr', 'en', 'fr', 'de']
    const all = await Promise.all(tongues.map((tongue) => get({ 'accept-language': tongue })))
    expect(await Promise.all(all.map((one) => one.text()))).toEqual(tongues.map((tongue) => `in ${tongue}`))
    expect(asked.length).toBe(3)
  })

  it('keeps maxVariants of them: the one used longest ago goes', async () => {
    const { get, asked, cache } = language({}, { maxVariants: 3 })
    for (const tongue of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await get({ 'accept-language': tongue })
    await get({ 'accept-language': 'h' })
    await get({ 'accept-language': 'g' })
    expect(asked.length).toBe(8)
    await get({ 'accept-language': 'b' })
    expect(asked.length).toBe(9)
    let kept = 0
    for await (const _ of cache.keys()) kept++
    // The first one holds what the resource depends on, and stays.
    expect(kept).toBe(4)
  })

  it('follows a handler that depends on something else from now on', async () => {
    let vary = 'x-a'
    const { get, seconds } = setUp(
      ({ headers }) =>
        new Response(`${headers.get('x-a')}${headers.get('x-b')}`, {
          headers: { 'cache-control': 'max-age=60', vary },
        }),
    )
    const bodies = async () => {
      const texts: string[] = []
      for (const [a, b] of ['11', '12', '21', '22'] as string[]) {
        texts.push(await (await get({ 'x-a': a!, 'x-b': b! })).text())
      }
      return texts.join()
    }
    expect(await bodies()).toBe('11,11,21,21')
    vary = 'x-a, x-b'
    await seconds(61)
    expect(await bodies()).toBe('11,12,21,22')
    expect(await bodies()).toBe('11,12,21,22')
  })
})

it('a body that breaks off is an error, and the handler is not asked twice for it', async () => {
  const { get, asked } = setUp(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array([1]))
            controller.error(new Error('broken off'))
          },
        }),
        { headers: { 'cache-control': 'max-age=60' } },
      ),
  )
  await expect(get()).rejects.toThrow('broken off')
  expect(asked.length).toBe(1)
})
