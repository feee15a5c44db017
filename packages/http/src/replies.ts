import { type Report, tell } from './cache-status.js'
import { isUnchanged } from './conditions.js'
import { ageOf, bodyOf, headersOf, type Stored } from './stored.js'

/** What a response is made of, beside its body. */
interface Head {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
}

/** The kept response, as old as it is. */
export function kept(
  request: Request,
  stored: Stored,
  now: number,
  cacheStatus: string | false,
  report: Report,
): Response {
  const { status, statusText } = stored
  const headers = headersOf(stored)
  headers.set('age', String(Math.floor(ageOf(stored, now))))
  const body = request.method === 'HEAD' ? null : bodyOf(stored)
  return reply(request, body, { status, statusText, headers }, cacheStatus, report)
}

/** The response as the client gets it: a 304 where it has that already. */
export function reply(
  request: Request,
  body: BodyInit | null,
  head: Head,
  cacheStatus: string | false,
  report: Report,
): Response {
  const { headers, status } = head
  tell(headers, cacheStatus, report)
  if (!isUnchanged(request, status, headers)) return new Response(body, head)
  if (body instanceof ReadableStream) void body.cancel().catch(() => {})
  for (const name of ['content-length', 'content-encoding', 'content-type']) headers.delete(name)
  return new Response(null, { status: 304, headers })
}

/** The answer to a request that wants what is kept or nothing, where nothing is. */
export function unavailable(cacheStatus: string | false): Response {
  const headers = new Headers({ 'cache-control': 'no-store' })
  tell(headers, cacheStatus, { detail: 'only-if-cached' })
  return new Response(null, { status: 504, headers })
}

/** The handler's response, with what the cache says of it. */
export function told(response: Response, cacheStatus: string | false, report: Report): Response {
  if (cacheStatus === false) return response
  const headers = new Headers(response.headers)
  tell(headers, cacheStatus, report)
  const { status, statusText } = response
  // Nothing else can be made of a response to an upgrade.
  return status < 200 ? response : new Response(response.body, { status, statusText, headers })
}
