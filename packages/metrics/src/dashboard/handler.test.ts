import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore, settle } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { CacheMetrics } from '../cache-metrics.js'
import { dashboard } from './handler.js'
import type { DashboardOptions } from './options.js'

function setUp(options: DashboardOptions = {}) {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const metrics = new CacheMetrics(cache, { clock, sample: 1 })
  const page = dashboard(metrics, { clock, ...options })
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    page(new Request(`http://localhost:8080/cache/${path}`, init))
  return { clock, cache, metrics, page, get }
}

const own = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
const post = (body: unknown, headers: Record<string, string> = own): RequestInit => ({
  method: 'POST',
  headers,
  body: JSON.stringify(body),
})

/** What comes next of a stream of events. */
async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Record<string, never>> {
  const { value } = await reader.read()
  return JSON.parse(new TextDecoder().decode(value).slice('data: '.length)) as Record<string, never>
}

describe('the page', () => {
  it('has its title, and loads nothing from anywhere else', async () => {
    const { get } = setUp({ title: 'Users & <orders>' })
    const response = await get('')
    const html = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(html).toContain('<title>Users &#38; &#60;orders&#62;</title>')
    const loaded = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, to]) => to!)
    expect(loaded.toSorted()).toEqual(['dashboard.css', 'dashboard.js', 'data:,', 'uplot.css'])
    for (const name of ['dashboard.css', 'dashboard.js', 'uplot.css', 'uplot.js']) {
      const file = await get(name)
      expect([name, file.status, (await file.text()).length > 500]).toEqual([name, 200, true])
      expect(file.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  it('is found without the slash at the end, and nothing else is', async () => {
    const { page, get } = setUp()
    const html = { headers: { accept: 'text/html' } }
    const moved = await page(new Request('http://localhost/cache', html))
    expect([moved.status, moved.headers.get('location')]).toEqual([308, '/cache/'])
    for (const path of ['package.json', '..%2findex.html', '__proto__', 'constructor']) {
      expect([path, (await get(path)).status]).toEqual([path, 404])
    }
    expect((await get('report', { method: 'PUT' })).status).toBe(405)
  })

  it('answers under names of this machine alone, unless it is told others', async () => {
    const { page } = setUp()
    const at = (url: string, to = page): Promise<number> => to(new Request(url)).then(({ status }) => status)
    expect(
      await Promise.all(['http://127.0.0.1/', 'http://[::1]:1/', 'http://localhost/'].map((url) => at(url))),
    ).toEqual([200, 200, 200])
    expect(await at('http://evil.example/')).toBe(421)
    expect(await at('http://cache.example/', setUp({ hosts: ['cache.example'] }).page)).toBe(200)
  })
})

describe('what it shows', () => {
  it('is what the metrics have', async () => {
    const { cache, metrics, get } = setUp()
    await cache.getOrSet('a', () => 1)
    await cache.get('a')
    expect(await (await get('report')).json()).toEqual(
      JSON.parse(
        JSON.stringify({ report: metrics.report(), topKeys: metrics.topKeys(), curves: { cache: null } }),
      ),
    )
  })

  it('comes to every page at once, from one interval, which ends with the last of them', async () => {
    const { clock, cache, get } = setUp()
    expect(clock.pending).toBe(0)
    const pages = await Promise.all(
      Array.from({ length: 100 }, async () => (await get('events')).body!.getReader()),
    )
    expect(clock.pending).toBe(1)
    for (const page of pages) expect(await next(page)).toHaveProperty('report')
    await cache
      .namespace('users')
      .getOrSet('a', () => Promise.reject(new Error('down')))
      .catch(() => undefined)
    await cache.invalidateTags(['t'])
    await clock.advance(1_000)
    for (const page of pages) {
      expect(await next(page)).toMatchObject({
        report: { total: { misses: 1 } },
        events: [
          { cache: 'cache', name: 'loadError', text: 'users › a · 0.0 ms · down' },
          { name: 'invalidate', text: 't' },
        ],
        left: 0,
      })
    }
    for (const page of pages.slice(1)) await page.cancel()
    expect(clock.pending).toBe(1)
    await pages[0]!.cancel()
    expect(clock.pending).toBe(0)
    await clock.advance(5_000)
  })

  it('leaves out what is too much of, and says how much', async () => {
    const { clock, cache, get } = setUp()
    const page = (await get('events')).body!.getReader()
    await next(page)
    for (let i = 0; i < 100; i++) await cache.delete(`k${i}`)
    await clock.advance(1_000)
    const told = (await next(page)) as unknown as { events: unknown[]; left: number }
    expect([told.events.length, told.left]).toEqual([30, 70])
    await page.cancel()
  })

  it('holds nobody up who does not read, and keeps little for him', async () => {
    const { clock, get } = setUp()
    const page = (await get('events')).body!.getReader()
    for (let i = 0; i < 100; i++) await clock.advance(1_000)
    let count = 0
    const done = (async () => {
      while (!(await page.read()).done) count++
    })()
    await settle()
    await page.cancel()
    await done
    expect(count).toBeLessThan(10)
  })

  it('ends when it is closed', async () => {
    const { clock, page, get } = setUp()
    const reader = (await get('events')).body!.getReader()
    await next(reader)
    page.close()
    expect((await reader.read()).done).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('actions', () => {
  const actions = {
    invalidate: {
      label: 'Invalidate',
      input: { label: 'Tag', suggestions: async () => new Set(['a', 'b']) },
      run: (tag: string) => `${tag} is gone`,
    },
    fail: {
      label: 'Fail',
      run: () => {
        throw new Error('cannot be done')
      },
    },
    quiet: { label: 'Quiet', run: async () => undefined },
  }

  it('are offered, done, and told of', async () => {
    const { get } = setUp({ actions })
    expect(await (await get('actions')).json()).toEqual([
      { name: 'invalidate', label: 'Invalidate', input: { label: 'Tag', suggestions: ['a', 'b'] } },
      { name: 'fail', label: 'Fail' },
      { name: 'quiet', label: 'Quiet' },
    ])
    const done = await get('actions/invalidate', post({ input: 'users' }))
    expect([done.status, await done.json()]).toEqual([200, { message: 'users is gone' }])
    const failed = await get('actions/fail', post({}))
    expect([failed.status, await failed.json()]).toEqual([500, { message: 'cannot be done' }])
    expect(await (await get('actions/quiet', post({}))).json()).toEqual({ message: 'Done.' })
  })

  it.each(['{', '', 'null', '5', '[]', '{"input":5}', '{"input":null}'])(
    'are not done for the body %j',
    async (body) => {
      const { get } = setUp({ actions })
      const refused = await get('actions/invalidate', { method: 'POST', headers: own, body })
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { message: expect.stringContaining('The body must be JSON') as string },
      ])
    },
  )

  it('are none by default', async () => {
    const { get } = setUp()
    expect(await (await get('actions')).json()).toEqual([])
    for (const name of ['invalidate', '__proto__', 'toString']) {
      expect((await get(`actions/${name}`, post({}))).status).toBe(404)
    }
  })

  it.each<[string, Record<string, string>]>([
    ['another site', { ...own, 'sec-fetch-site': 'cross-site' }],
    ['a form', { ...own, 'content-type': 'text/plain' }],
    ['who does not say', { 'content-type': 'application/json' }],
    ['another origin', { 'content-type': 'application/json', origin: 'http://evil.example' }],
    ['what only begins like JSON', { ...own, 'content-type': 'application/json-evil' }],
    ['an origin that is none', { 'content-type': 'application/json', origin: 'null' }],
  ])('are refused to %s', async (_, headers) => {
    const { get } = setUp({ actions })
    expect((await get('actions/quiet', post({}, headers))).status).toBe(403)
  })

  it('are done for an older browser on the same origin', async () => {
    const { get } = setUp({ actions })
    const headers = { 'content-type': 'application/json', origin: 'http://localhost:8080' }
    expect((await get('actions/quiet', post({}, headers))).status).toBe(200)
  })
})

it.each<[object, string]>([
  [{ titel: 'x' }, "unknown option 'titel' of dashboard; known are title"],
  [{ title: 1 }, 'title must be a string'],
  [{ hosts: 'localhost' }, 'hosts must be an array of host names'],
  [{ interval: 5 }, 'interval must be from 100 to 3600000 milliseconds, got 5'],
  [{ clock: { now: () => 0 } }, 'clock must be a Clock, with now, setTimer and clearTimer'],
  [{ actions: { 'a b': { label: 'x', run() {} } } }, "'a b' must be letters, digits"],
  [{ actions: { a: { label: 'x' } } }, 'actions.a must have a label and run()'],
])('refuses %j', (options, message) => {
  expect(() => setUp(options)).toThrow(message)
})
