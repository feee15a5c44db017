import { gate, settle } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'
import { counting, setUp } from './set-up.js'

const headers = { 'cache-control': 'max-age=60' }

it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'QUERYISH'])(
  '%s ends what is kept of its URL, all variants of it',
  async (method) => {
    const { get, send } = setUp(({ method, headers: asked }) =>
      method === 'GET'
        ? new Response(asked.get('x-a'), { headers: { 'cache-control': 'public, max-age=60', vary: 'x-a' } })
        : new Response(null, { status: 204 }),
    )
    const requests = [{ 'x-a': '1' }, { 'x-a': '2' }, { 'x-a': '1', cookie: 'a' }]
    const statuses = async () => {
      const all: (string | null)[] = []
      for (const one of requests) all.push((await get(one)).headers.get('age'))
      return all
    }
    await statuses()
    await get({}, '/other')
    expect(await statuses()).toEqual(['0', '0', '0'])
    await send(method)
    expect(await statuses()).toEqual([null, null, null])
    expect((await get({}, '/other')).headers.get('age')).toBe('0')
  },
)

it('so do the resources that Location and Content-Location name, of the same origin', async () => {
  const { get, send, asked } = setUp(({ method }) =>
    method === 'GET'
      ? new Response('', { headers })
      : new Response('', {
          status: 201,
          headers: { location: '/list/1', 'content-location': 'http://shop.test/list' },
        }),
  )
  const paths = ['/list', '/list/1', '/list/2']
  for (const path of paths) await get({}, path)
  await send('POST', '/list/2')
  asked.length = 0
  for (const path of paths) await get({}, path)
  expect(asked.map(({ url }) => new URL(url).pathname)).toEqual(['/list', '/list/1', '/list/2'])

  const foreign = setUp(({ method }) =>
    method === 'GET'
      ? new Response('', { headers })
      : new Response('', { headers: { location: 'http://else.test/a' } }),
  )
  await foreign.http.respond(new Request('http://else.test/a'), () => new Response('', { headers }))
  await foreign.send('POST', '/b')
  const kept = await foreign.http.respond(
    new Request('http://else.test/a'),
    () => new Response('new', { headers }),
  )
  expect(await kept.text()).toBe('')
})

it('a change that failed ends nothing, and neither does OPTIONS', async () => {
  for (const [method, status] of [
    ['POST', 400],
    ['DELETE', 500],
    ['OPTIONS', 204],
  ] as const) {
    const { get, send } = setUp(({ method: asked }) =>
      asked === 'GET' ? new Response('', { headers }) : new Response(null, { status }),
    )
    await get()
    await send(method)
    expect((await get()).headers.get('age')).toBe('0')
  }
})

it('what was being made while something changed is not kept', async () => {
  const held = gate()
  let version = 1
  const { get, send } = setUp(async ({ method }) => {
    if (method !== 'GET') {
      version = 2
      return new Response(null, { status: 204 })
    }
    const body = `version ${version}`
    if (version === 1) await held.wait()
    return new Response(body, { headers })
  })
  const early = get()
  await settle()
  await send('PUT')
  held.open()
  expect(await (await early).text()).toBe('version 1')
  expect(await (await get()).text()).toBe('version 2')
  expect(await (await get()).text()).toBe('version 2')
})

it('tags of Cache-Tag and Surrogate-Key end responses together with the data they were made from', async () => {
  const { get, cache } = setUp(
    counting({ ...headers, 'cache-tag': 'products, product:7', 'surrogate-key': 'shop home' }),
  )
  let calls = 1
  for (const tag of ['products', 'product:7', 'shop', 'home']) {
    await get()
    await cache.invalidateTags([tag])
    expect(await (await get()).text()).toBe(`call ${++calls}`)
  }
  await cache.invalidateTags(['product'])
  expect(await (await get()).text()).toBe(`call ${calls}`)
})

it('invalidate ends resources by their URLs', async () => {
  const { get, http } = setUp(counting(headers))
  await get()
  await http.invalidate('http://shop.test/other')
  expect(await (await get()).text()).toBe('call 1')
  await http.invalidate('http://shop.test/')
  expect(await (await get()).text()).toBe('call 2')
})
