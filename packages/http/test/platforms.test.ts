import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Cache, createCache } from '@flow-cache/core'
import { fakeClock, gate } from '@flow-cache/core/testing'
import { httpCache } from '@flow-cache/http'
import { honoCache } from '@flow-cache/http/hono'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Hono } from 'hono'
import { etag } from 'hono/etag'
import { afterEach, expect, it } from 'vitest'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

function newCache() {
  const cache = createCache({ store: memoryStore() })
  open.push(() => cache.close())
  return cache
}

/** Serves on a port of this machine, and answers with its address. */
async function serve(fetch: (request: Request) => Response | Promise<Response>): Promise<string> {
  const server = createAdaptorServer({ fetch })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** How many wait for the handler. */
const waitingFor = async (cache: Cache, url: string): Promise<number | undefined> =>
  (await cache.explain(`http:anyone::${url}/`)).loading?.waiting

const statusOf = (response: Response): string => response.headers.get('cache-status')!

it('Hono has it as middleware', async () => {
  const app = new Hono()
  let calls = 0
  app.use(async (c, next) => {
    c.header('x-outer', '1')
    await next()
    c.header('x-later', '2')
  })
  app.use('/api/*', honoCache({ cache: newCache() }), etag())
  app.get('/api/users/:id', (c) => {
    calls++
    c.header('cache-control', 'max-age=60')
    return c.json({ id: c.req.param('id'), tongue: c.req.header('accept-language') ?? null })
  })
  app.post('/api/users/:id', (c) => c.body(null, 204))
  app.get('/api/mine', (c) => {
    c.header('set-cookie', `n=${++calls}`)
    c.header('cache-control', 'max-age=60')
    return c.text('mine')
  })
  const url = await serve(app.fetch)

  const first = await fetch(`${url}/api/users/7`)
  expect([await first.json(), statusOf(first)]).toEqual([
    { id: '7', tongue: '*' },
    'flow-cache; fwd=uri-miss; ttl=60; stored',
  ])
  const second = await fetch(`${url}/api/users/7`)
  expect([await second.json(), second.headers.get('x-outer'), second.headers.get('x-later'), calls]).toEqual([
    { id: '7', tongue: '*' },
    '1',
    '2',
    1,
  ])
  expect(statusOf(second)).toMatch(/^flow-cache; hit; ttl=\d+$/)
  const known = await fetch(`${url}/api/users/7`, {
    headers: { 'if-none-match': first.headers.get('etag')!, 'cache-control': 'max-age=60' },
  })
  expect([known.status, calls]).toEqual([304, 1])

  await fetch(`${url}/api/users/7`, { method: 'POST' })
  await fetch(`${url}/api/users/7`)
  expect(calls).toBe(2)

  const cookies = [await fetch(`${url}/api/mine`), await fetch(`${url}/api/mine`)]
  expect(cookies.map((one) => one.headers.getSetCookie())).toEqual([['n=3'], ['n=4']])
})

it('Hono’s middleware has an ETag confirmed by what comes after it', async () => {
  const app = new Hono()
  let calls = 0
  app.use(honoCache({ cache: newCache() }), etag())
  app.get('/', (c) => {
    calls++
    return c.text('same', 200, { 'cache-control': 'no-cache' })
  })
  const url = await serve(app.fetch)
  await fetch(url)
  const again = await fetch(url)
  expect([again.status, await again.text(), calls]).toEqual([200, 'same', 2])
  expect(statusOf(again)).toContain('fwd-status=304')
})

it('Hono’s middleware shares one run among requests at one time', async () => {
  const app = new Hono()
  const cache = newCache()
  const held = gate()
  let calls = 0
  app.use(honoCache({ cache }))
  app.get('/', async (c) => {
    calls++
    await held.wait()
    return c.text(`call ${calls}`, 200, { 'cache-control': 'max-age=60' })
  })
  const url = await serve(app.fetch)
  const all = Array.from({ length: 20 }, async () => (await fetch(url)).text())
  await expect.poll(() => waitingFor(cache, url), { timeout: 10_000 }).toBe(20)
  held.open()
  expect([new Set(await Promise.all(all)), calls]).toEqual([new Set(['call 1']), 1])
})

it('a whole Hono application can be wrapped, and is asked anew behind responses', async () => {
  const app = new Hono()
  let calls = 0
  app.get('/', (c) =>
    c.text(`call ${++calls}`, 200, { 'cache-control': 'max-age=60, stale-while-revalidate=60' }),
  )
  const clock = fakeClock(Date.now())
  const cache = createCache({ store: memoryStore({ clock }), clock })
  open.push(() => cache.close())
  const url = await serve(httpCache({ cache, clock }).wrap((request) => app.fetch(request)))
  expect(await (await fetch(url)).text()).toBe('call 1')
  await clock.advance(70_000)
  expect(await (await fetch(url)).text()).toBe('call 1')
  await cache.drain()
  expect(await (await fetch(url)).text()).toBe('call 2')
})

it('a route handler of Next.js is a plain function, and so is the wrapped one', async () => {
  const http = httpCache({ cache: newCache() })
  let calls = 0
  const GET = http.wrap(async (request: Request, { params }: { params: Promise<{ id: string }> }) => {
    calls++
    const { id } = await params
    return Response.json(
      { id, path: new URL(request.url).pathname },
      { headers: { 'cache-control': 's-maxage=60' } },
    )
  })
  for (let i = 0; i < 2; i++) {
    const response = await GET(new Request('http://shop.test/users/7'), {
      params: Promise.resolve({ id: '7' }),
    })
    expect(await response.json()).toEqual({ id: '7', path: '/users/7' })
  }
  expect(calls).toBe(1)
})

it('Node’s server goes on when a client leaves, and the others get the response', async () => {
  const cache = newCache()
  const held = gate()
  let calls = 0
  const url = await serve(
    httpCache({ cache }).wrap(async () => {
      calls++
      await held.wait()
      return new Response('done', { headers: { 'cache-control': 'max-age=60' } })
    }),
  )
  const leaving = new AbortController()
  const first = fetch(url, { signal: leaving.signal })
  await held.arrived
  const second = fetch(url)
  await expect.poll(() => waitingFor(cache, url), { timeout: 10_000 }).toBe(2)
  leaving.abort()
  await expect(first).rejects.toThrow('abort')
  await expect.poll(() => waitingFor(cache, url), { timeout: 10_000 }).toBe(1)
  held.open()
  expect([await (await second).text(), calls]).toEqual(['done', 1])
})

it('an upstream that sends on and on is let go when the last client has left', async () => {
  let open = 0
  const upstream = createServer((_, response) => {
    open++
    response.on('close', () => open--)
    response.writeHead(200, { 'cache-control': 'max-age=60' })
    response.write('x')
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo
  // Its signal is not passed on, so the body alone says that nobody is there any more.
  const url = await serve(
    httpCache({ cache: newCache() }).wrap(({ url }) =>
      fetch(`http://127.0.0.1:${port}${new URL(url).pathname}`),
    ),
  )
  const leaving = new AbortController()
  const all = Array.from({ length: 10 }, (_, i) => fetch(`${url}/${i}`, { signal: leaving.signal }))
  await expect.poll(() => open, { timeout: 10_000 }).toBe(10)
  leaving.abort()
  await Promise.allSettled(all)
  await expect.poll(() => open, { timeout: 10_000 }).toBe(0)
  upstream.close()
})

it('processes that share Redis share responses, and what ends them', async () => {
  const prefix = `${randomUUID()}:`
  let calls = 0
  const start = () => {
    const cache = new MultiLevelCache({ tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix })] })
    open.push(() => cache.close())
    return httpCache({ cache }).wrap(({ method }) =>
      method === 'GET'
        ? new Response(new Uint8Array([0, 255, ++calls]), {
            headers: { 'cache-control': 'max-age=60', vary: 'x-a' },
          })
        : new Response(null, { status: 204 }),
    )
  }
  const [one, two] = [start(), start()]
  const read = async (process: typeof one, a: string): Promise<number[]> => {
    const response = await process(new Request('http://shop.test/', { headers: { 'x-a': a } }))
    return [...new Uint8Array(await response.arrayBuffer())]
  }
  expect(await read(one, '1')).toEqual([0, 255, 1])
  expect(await read(two, '1')).toEqual([0, 255, 1])
  expect(await read(two, '2')).toEqual([0, 255, 2])
  expect(await read(one, '2')).toEqual([0, 255, 2])
  await two(new Request('http://shop.test/', { method: 'DELETE' }))
  await expect.poll(() => read(one, '1')).toEqual([0, 255, 3])
})
