import { request } from 'node:http'
import { InMemoryCache } from '@flow-cache/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BriefPart } from '../src/brief-parts.js'
import { Desk } from '../src/desk.js'
import { type DeskServer, serveDesk } from '../src/serve.js'
import type { Step } from '../src/steps.js'
import { handbook } from './handbook.js'

async function start(): Promise<{ server: DeskServer; cache: InMemoryCache; desk: Desk }> {
  const cache = new InMemoryCache({ maxEntries: 1000, ttl: '1d' })
  const looks = new InMemoryCache({ ttl: '1m' })
  const desk = new Desk({ cache, looks, dir: handbook })
  const server = await serveDesk({ desk, port: 0 })
  onTestFinished(async () => {
    await server.close()
    await Promise.all([cache.close(), looks.close()])
  })
  return { server, cache, desk }
}

interface Told {
  readonly event: string
  readonly data: unknown
}

const search = (query: Record<string, string>): string => new URLSearchParams(query).toString()

async function ask(server: DeskServer, query: Record<string, string>): Promise<Told[]> {
  const response = await fetch(`${server.url}ask?${search(query)}`)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '')
  return blocks.map((block) => {
    const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
    return { event, data: JSON.parse(data) as unknown }
  })
}

const of = <T>(told: readonly Told[], event: string): T[] =>
  told.filter((one) => one.event === event).map(({ data }) => data as T)

/** Any header may be given, `host` too. */
function status(url: string, method: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject).end()
  })
}

const q = 'How long is the pause between retries?'

describe('serveDesk', () => {
  it('streams an answer: steps, the parts of the brief, and the sum at the end', async () => {
    const { server } = await start()
    const told = await ask(server, { q })
    const text = of<BriefPart>(told, 'part').flatMap((part) => (part.type === 'sentence' ? [part.text] : []))
    expect(text.join(' ')).toContain('The pause doubles with every attempt')
    expect(of<Step>(told, 'step').map(({ name }) => name)).toEqual([
      'question',
      'scan',
      'chunk',
      'index',
      'retrieve',
      'rerank',
      'brief',
    ])
    expect(told.at(-1)).toMatchObject({ event: 'answer', data: { question: q, corpus: { documents: 5 } } })
  })

  it('a second answer comes from the cache, in the same parts', async () => {
    const { server } = await start()
    const [first, second] = [await ask(server, { q }), await ask(server, { q })]
    expect(of(second, 'part')).toEqual(of(first, 'part'))
    expect(of<Step>(second, 'step').find(({ name }) => name === 'brief')?.from).toBe('cache')
  })

  it('fifty users at once cost one brief', async () => {
    const { server } = await start()
    const response = await fetch(`${server.url}crowd?${search({ q, users: '50' })}`, {
      method: 'POST',
      headers: { origin: new URL(server.url).origin },
    })
    expect(await response.json()).toMatchObject({ users: 50, briefsWritten: 1 })
  })

  it('tenants and modes are taken from the request', async () => {
    const { server } = await start()
    await ask(server, { q, tenant: 'a' })
    const missing = await ask(server, { q, tenant: 'b', mode: 'only-if-cached' })
    expect(missing.at(-1)).toMatchObject({ event: 'problem', data: { code: 'not-cached' } })
    const there = await ask(server, { q, tenant: 'a', mode: 'only-if-cached' })
    expect(there.at(-1)?.event).toBe('answer')
  })

  it.each([
    [{ q: '  ' }, 'The question is empty.'],
    [{ q, mode: 'fast' }, '"mode" must be one of default, refresh'],
    [{ q, tenant: '' }, '"tenant" needs a name.'],
    [{ q: 'plutonium' }, 'No document here says anything about "plutonium".'],
  ])('%j is told as a problem', async (query, message) => {
    const { server } = await start()
    const told = await ask(server, query)
    expect(told.at(-1)).toMatchObject({ event: 'problem', data: { code: 'problem' } })
    expect(told.at(-1)).toMatchObject({ data: { message: expect.stringContaining(message) as string } })
  })

  it('somebody who leaves ends the work that nobody else waits for', async () => {
    const { server, cache } = await start()
    const leaver = new AbortController()
    const response = await fetch(`${server.url}ask?${search({ q })}`, { signal: leaver.signal })
    await response.body?.getReader().read()
    leaver.abort()
    await cache.drain()
    const told = await ask(server, { q })
    expect(told.at(-1)?.event).toBe('answer')
  })

  it('only this machine is answered, and pages of other sites change nothing', async () => {
    const { server } = await start()
    expect(await status(server.url, 'GET', { host: 'example.org' })).toBe(421)
    const headers = { origin: 'https://example.org', 'content-type': 'text/plain' }
    expect(await status(`${server.url}crowd?q=x`, 'POST', headers)).toBe(403)
  })

  it.each([
    ['', 'text/html'],
    ['page.js', 'text/javascript'],
    ['page.css', 'text/css'],
  ])('/%s is %s', async (path, type) => {
    const { server } = await start()
    const response = await fetch(`${server.url}${path}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining(type),
    ])
  })

  it('a port that is taken is a problem that names it', async () => {
    const { server, desk } = await start()
    const port = Number(new URL(server.url).port)
    await expect(serveDesk({ desk, port })).rejects.toThrow(`Port ${port} is taken.`)
  })
})
