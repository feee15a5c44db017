import { seededRandom } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'
import { setUp } from './set-up.js'

/** Whom a response was made for, as its body says. */
interface Made {
  readonly id: number
  readonly headers: Record<string, string>
  readonly at: number
  /** How many changes came before it. */
  readonly changes: number
}

const requestHeaders: Record<string, readonly (string | undefined)[]> = {
  authorization: [undefined, undefined, undefined, 'Bearer ada', 'Bearer bob'],
  cookie: [undefined, undefined, 'id=ada', 'id=bob'],
  'accept-language': [undefined, 'de', 'en'],
  'x-tenant': [undefined, 'a', 'b'],
  'cache-control': [undefined, undefined, undefined, undefined, 'no-cache', 'no-store', 'max-age=3'],
  'if-none-match': [undefined, undefined, '"1"', '"2"'],
}
const answerHeaders: Record<string, readonly (string | undefined)[]> = {
  'cache-control': [
    undefined,
    'max-age=10',
    'public, max-age=10',
    's-maxage=10, stale-while-revalidate=5',
    'max-age=10, stale-if-error=20',
    'PRIVATE, max-age=10',
    'private="set-cookie", max-age=10',
    'no-store, public, max-age=10',
    'max-age=10;no-store',
    'public, no-cache, max-age=10',
    'max-age=10, must-revalidate',
  ],
  vary: [
    undefined,
    undefined,
    'Accept-Language',
    'x-tenant',
    'Cookie',
    'accept-language, X-Tenant',
    '*',
    'authorization',
  ],
  'set-cookie': [undefined, undefined, undefined, 'session=1'],
  etag: [undefined, 'its own'],
}
/** What says who somebody is, or what they want. */
const telling = ['authorization', 'cookie', 'accept-language', 'x-tenant']

it.each(Array.from({ length: 20 }, (_, i) => i + 1))(
  'nobody gets what was made for somebody else, whatever headers there are (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const some = (from: Record<string, readonly (string | undefined)[]>): Record<string, string> =>
      Object.fromEntries(
        Object.entries(from).flatMap(([name, values]) => {
          const value = pick(values)
          return value === undefined ? [] : [[name, value]]
        }),
      )
    let changes = 0
    let ids = 0
    /** Everything that was made, and on what terms: those at first, and those of each confirmation. */
    const bodies = new Map<number, { made: Made; terms: Record<string, string>[] }>()
    const { send, clock } = setUp(async (request) => {
      const id = Number(request.headers.get('x-id'))
      const before = changes
      for (let i = Math.floor(random() * 6); i > 0; i--) await Promise.resolve()
      if (request.method !== 'GET') {
        changes++
        return new Response(null, { status: 204 })
      }
      const answer = some(answerHeaders)
      if (random() < 0.1) return new Response('down', { status: 503 })
      const headers = Object.fromEntries(request.headers)
      // A validator names one body, and is confirmed to those alone who ask just as they did whom it was made for.
      const confirmed = bodies.get(Number(/\d+/.exec(headers['if-none-match'] ?? '')?.[0]))
      const isSame = telling.every((name) => confirmed?.made.headers[name] === headers[name])
      if (confirmed !== undefined && isSame && random() < 0.5) {
        const { etag: _, ...changed } = answer
        confirmed.terms.push({ ...confirmed.terms.at(-1), ...changed })
        return new Response(null, { status: 304, headers: changed })
      }
      if (answer['etag'] !== undefined) answer['etag'] = `"${id}"`
      const made: Made = { id, headers, at: clock.now(), changes: before }
      bodies.set(id, { made, terms: [answer] })
      return new Response(String(id), { headers: answer })
    })

    const ask = async (): Promise<void> => {
      const id = ++ids
      const headers: Record<string, string> = { ...some(requestHeaders), 'x-id': String(id) }
      const path = pick(['/a', '/a', '/b'])
      const changesBefore = changes
      const response = await send('GET', path, headers)
      const text = await response.text()
      if (response.status !== 200) return
      if (Number(text) === id) return
      // It was made for somebody else: then all of this has to hold.
      const { made, terms } = bodies.get(Number(text))!
      const status = response.headers.get('cache-status')!
      const isConfirmed = status.includes('fwd-status=304')
      const shows = (who: Record<string, string>): boolean => 'cookie' in who || 'authorization' in who
      const allows = (term: Record<string, string>): boolean => {
        const control = (term['cache-control'] ?? '').toLowerCase()
        const vary = (term['vary'] ?? '')
          .toLowerCase()
          .split(/[\s,]+/)
          .filter(Boolean)
        return (
          !/no-store|private|no-cache/.test(control) &&
          /max-?age/.test(control) &&
          term['set-cookie'] === undefined &&
          vary.every((name) => name !== '*' && made.headers[name] === headers[name]) &&
          shows(made.headers) === shows(headers) &&
          (!shows(headers) || /public|s-maxage/.test(control))
        )
      }
      const why = JSON.stringify({ headers, made, terms, status })
      // What was confirmed to this very request is the handler's to say.
      if (isConfirmed) {
        expect(
          telling.every((name) => made.headers[name] === headers[name]),
          why,
        ).toBe(true)
        return
      }
      expect(terms.some(allows), why).toBe(true)
      expect(response.headers.has('set-cookie'), why).toBe(false)
      const told = response.headers.get('cache-control')!.toLowerCase()
      const age = Number(response.headers.get('age') ?? 0)
      const most = told.includes('stale-if-error') ? 30 : told.includes('stale-while') ? 15 : 10
      expect(age, why).toBeLessThan(most)
      // Where the handler failed, stale-if-error counts for more.
      const isFallback = status.includes('handler-failed')
      if (!isFallback) expect(headers['cache-control'], why).not.toBe('no-cache')
      if (!isFallback && headers['cache-control'] === 'max-age=3') expect(age, why).toBeLessThanOrEqual(3)
      if (path === '/a' && terms.length === 1) expect(made.changes, why).toBeGreaterThanOrEqual(changesBefore)
    }

    for (let round = 0; round < 60; round++) {
      if (random() < 0.2) await send('POST', '/a')
      const tasks = Array.from({ length: 1 + Math.floor(random() * 6) }, ask)
      if (random() < 0.1) tasks.push(send('POST', '/a').then(() => undefined))
      await Promise.all(tasks)
      if (random() < 0.5) await clock.advance(Math.floor(random() * 12) * 1_000)
    }
  },
)
