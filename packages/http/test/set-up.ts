import { type Cache, createCache } from '@flow-cache/core'
import { type FakeClock, fakeClock, mapStore } from '@flow-cache/core/testing'
import { type Handler, type HttpCache, httpCache, type HttpCacheOptions } from '@flow-cache/http'

/** The instant at which tests begin, on a whole second as HTTP dates are. */
export const start = Date.parse('2026-01-01T00:00:00Z')

export interface SetUp {
  readonly clock: FakeClock
  readonly cache: Cache
  readonly http: HttpCache
  /** How often the handler was asked, and with what. */
  readonly asked: Request[]
  /** The wrapped handler. */
  readonly answer: (request: Request) => Promise<Response>
  /** Asks for `/`, or for a path. */
  readonly get: (headers?: Record<string, string>, path?: string) => Promise<Response>
  readonly send: (method: string, path?: string, headers?: Record<string, string>) => Promise<Response>
  readonly seconds: (count: number) => Promise<void>
}

/** A cache in front of a handler, on a clock that stands still. */
export function setUp(handler: Handler, options: Partial<HttpCacheOptions> = {}): SetUp {
  const clock = fakeClock(start)
  const cache = createCache({ store: mapStore(clock), clock })
  const http = httpCache({ cache, clock, ...options })
  const asked: Request[] = []
  const answer = http.wrap((request) => {
    asked.push(request)
    return handler(request)
  })
  const send = (method: string, path = '/', headers: Record<string, string> = {}): Promise<Response> =>
    answer(new Request(`http://shop.test${path}`, { method, headers }))
  return {
    clock,
    cache,
    http,
    asked,
    answer,
    send,
    get: (headers, path) => send('GET', path, headers),
    seconds: (count) => clock.advance(count * 1_000),
  }
}

/** A handler that answers with these headers, and a body that counts its calls. */
export function counting(headers: Record<string, string>, status = 200): Handler {
  let calls = 0
  return () => new Response(`call ${++calls}`, { status, headers })
}

/** What the cache says of itself, without its name. */
export const said = (response: Response): string | undefined =>
  response.headers.get('cache-status')?.split('; ').slice(1).join('; ')
