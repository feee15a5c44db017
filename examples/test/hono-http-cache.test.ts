import { fileURLToPath } from 'node:url'
import { gate } from '@flow-cache/core/testing'
import { startEdgeWorker } from '@flow-cache/servers'
import { expect, it } from 'vitest'
import { openOrigin } from './open-origin.js'

const main = fileURLToPath(new URL('../src/hono-http-cache.ts', import.meta.url))
const patience = { timeout: 30_000, interval: 100 }

// The first run of a checkout fetches the runtime.
it('a worker does with responses what their headers say', async () => {
  const first = gate()
  const slow = gate()
  let page = 'one'
  await using origin = await openOrigin(async ({ url, method }, response) => {
    if (method === 'POST') page = 'two'
    if (url === '/me')
      return response.setHeader('cache-control', 'private, max-age=60').end(`${origin.asked.length}`)
    if (origin.asked.length === 1) await first.wait()
    if (page === 'three') await slow.wait()
    const lives =
      url === '/page' ? 'max-age=600' : 'max-age=1, stale-while-revalidate=600, stale-if-error=600'
    return response.writeHead(200, { 'cache-control': lives, etag: `"${page}"` }).end(page)
  })
  await using worker = await startEdgeWorker(main, { ORIGIN: origin.url })
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(worker.url + path, init)
    return { status: answer.status, cache: answer.headers.get('cache-status'), body: await answer.text() }
  }
  const asked = (path: string) => origin.asked.filter((url) => url === path).length

  const readers = Promise.all(Array.from({ length: 30 }, () => ask('/page')))
  await first.arrived
  first.open()
  expect(new Set((await readers).map(({ body }) => body))).toEqual(new Set(['one']))
  expect(asked('/page')).toBe(1)
  expect(await ask('/page')).toMatchObject({
    cache: expect.stringMatching(/^flow-cache; hit; ttl=\d+$/),
    body: 'one',
  })
  // A client that has it already. (`fetch` would say `no-cache` by itself.)
  expect(
    await ask('/page', { headers: { 'if-none-match': '"one"', 'cache-control': 'max-age=600' } }),
  ).toMatchObject({
    status: 304,
    body: '',
  })
  expect(asked('/page')).toBe(1)

  // What is for one alone is kept for nobody.
  expect((await ask('/me')).body).not.toBe((await ask('/me')).body)

  // A change through the worker ends what it has of the page.
  await ask('/page', { method: 'POST' })
  expect((await ask('/page')).body).toBe('two')
  expect(asked('/page')).toBe(3)

  // The origin is slow, then away: the old response is there, and the new one comes behind it.
  expect((await ask('/news')).body).toBe('two')
  page = 'three'
  await expect.poll(async () => (await ask('/news'), asked('/news')), patience).toBe(2)
  expect(await ask('/news')).toMatchObject({ status: 200, body: 'two' })
  slow.open()
  await expect.poll(() => ask('/news'), patience).toMatchObject({ body: 'three' })
  origin.down = true
  const old = { status: 200, cache: expect.stringContaining('ttl=-'), body: 'three' }
  await expect.poll(() => ask('/news'), patience).toMatchObject(old)
  expect((await ask('/other')).status).toBe(503)
  // It warns of continuations that came for requests which had their answer.
  expect(worker.output).not.toMatch(/error|exception|hung/i)
}, 180_000)
