import { gate } from '@flow-cache/core/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Origin, openOrigin } from './open-origin.js'

// A route handler is a function of a `Request`: what Next.js calls is what is called here, without Next.js.
const route = () => import('../src/nextjs-route.js')
const request = new Request('http://site.example/')
const context = (slug: string) => ({ params: Promise.resolve({ slug }) })

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let cms: Origin
const first = gate()
let title = 'First'
beforeAll(async () => {
  cms = await openOrigin(async ({ url }, response) => {
    if (cms.asked.length === 1) await first.wait()
    if (url === '/articles/nothing') response.writeHead(404).end()
    else response.end(JSON.stringify({ slug: 'hello', title }))
  })
  vi.stubEnv('CMS_URL', cms.url)
  vi.stubEnv('CMS_SECRET', 'secret')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await cms[Symbol.asyncDispose]()
})

const read = async (slug = 'hello') => {
  const answer = await (await route()).GET(request, context(slug))
  return { status: answer.status, body: await answer.json() }
}
const told = async (secret = 'secret') => {
  const headers = { authorization: `Bearer ${secret}` }
  return (await (await route()).POST(new Request(request, { method: 'POST', headers }), context('hello')))
    .status
}

it('readers share a load, also after the module was read again', async () => {
  const readers = Promise.all([read(), read(), read()])
  await first.arrived
  vi.resetModules()
  const late = read()
  first.open()
  for (const answer of [...(await readers), await late])
    expect(answer).toEqual({ status: 200, body: { slug: 'hello', title: 'First' } })
  expect(cms.asked).toEqual(['/articles/hello'])
  expect([(await read('nothing')).status, (await read('nothing')).status]).toEqual([404, 404])
  expect(cms.asked).toHaveLength(2)
})

it('a change is read by the next one, and while the CMS is away the old article stands in', async () => {
  title = 'Second'
  expect(await told('guessed')).toBe(401)
  expect((await read()).body).toMatchObject({ title: 'First' })
  expect(await told()).toBe(204)
  expect((await read()).body).toMatchObject({ title: 'Second' })

  cms.down = true
  expect(await told()).toBe(204)
  expect(await read()).toMatchObject({ status: 200, body: { title: 'Second' } })
})
