import { instantOf } from './http-date.js'
import { headersOf, type Stored } from './stored.js'

/** Headers by which a request asks for a response only if it has changed. */
const conditions = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
] as const

/** Whether what the client has is what it would get, so that a 304 does (RFC 9110, 13.2.2). */
export function isUnchanged(request: Request, status: number, headers: Headers): boolean {
  if (status !== 200) return false
  const match = request.headers.get('if-none-match')
  if (match !== null) {
    const etag = headers.get('etag')
    if (match.trim() === '*') return true
    const tags = match.match(/(?:W\/)?"[^"]*"/g) ?? []
    return etag !== null && tags.some((tag) => strong(tag) === strong(etag))
  }
  const since = instantOf(request.headers.get('if-modified-since'))
  const modified = instantOf(headers.get('last-modified'))
  return since !== undefined && modified !== undefined && modified <= since
}

/** Whether two validators name the same, weakly compared. */
const strong = (etag: string): string => etag.trim().replace(/^W\//, '')

/**
 * What the handler is asked in the place of the request: the whole resource, or, where there is a stale response with a
 * validator, whether that has changed. The signal is the load's, as the client may leave while others wait.
 */
export function questionFor(request: Request, previous: Stored | undefined, signal: AbortSignal): Request {
  const headers = new Headers(request.headers)
  for (const name of conditions) headers.delete(name)
  const before = previous === undefined ? undefined : headersOf(previous)
  const etag = before?.get('etag')
  const modified = before?.get('last-modified')
  if (etag != null) headers.set('if-none-match', etag)
  if (modified != null) headers.set('if-modified-since', modified)
  return remade(request, { headers, signal })
}

/** The same request, of the same class, as frameworks give theirs more than the platform's has. */
function remade(request: Request, init: RequestInit): Request {
  const Own = request.constructor as typeof Request
  return Own !== Request && Own.prototype instanceof Request
    ? new Own(request, init)
    : new Request(request, init)
}

/** Whether the client asks for a part, or on conditions that only the handler can judge. */
export const isPartial = ({ headers }: Request): boolean =>
  ['range', 'if-match', 'if-unmodified-since', 'upgrade'].some((name) => headers.has(name))

/** What a 304 does not change: it describes the body that is kept. */
const ofTheBody = new Set([
  'content-length',
  'content-encoding',
  'content-range',
  'content-type',
  'transfer-encoding',
])

/** The stale response's headers as a 304 updates them, or `undefined` if it speaks of another response (RFC 9111, 4.3.4). */
export function updated(previous: Stored, answer: Headers): Headers | undefined {
  const headers = headersOf(previous)
  const [etag, before] = [answer.get('etag'), headers.get('etag')]
  if (etag !== null && (before === null || strong(etag) !== strong(before))) return undefined
  for (const [name, value] of answer) {
    if (name === 'set-cookie') headers.append(name, value)
    else if (!ofTheBody.has(name)) headers.set(name, value)
  }
  // It is as old as the answer from now on.
  if (!answer.has('date')) headers.delete('date')
  return headers
}
