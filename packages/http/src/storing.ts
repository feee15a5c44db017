import { type Directives, directivesOf, mostSeconds } from './directives.js'
import { instantOf } from './http-date.js'
import type { Settings } from './options.js'
import { tagsOf } from './response-tags.js'
import type { Stored } from './stored.js'
import { varyOf } from './vary.js'

/** What is to be known of a request to keep its response. */
export interface Asked {
  readonly request: Request
  readonly directives: Directives
  /** Whether it shows who sends it. */
  readonly isKnown: boolean
}

/** Everything about a response but its body. */
export type Terms = Omit<Stored, 'body' | 'variant'>

/** A response that is not kept, and why. */
export interface Refused {
  readonly why: string
  /** Whether a response to any other request would not be kept either, as far as one can tell. */
  readonly always: boolean
}

/** Statuses that are understood. A partial response is none of them. */
const understood = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501])

/** Between two processes, and not part of the response (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // What another cache said of the response before; this one says its own.
  'age',
  'cache-status',
])

/** On what terms the response may be kept for others, or why it may not (RFC 9111, 3). */
export function termsOf(
  { directives: asked, isKnown }: Asked,
  status: number,
  statusText: string,
  headers: Headers,
  settings: Settings,
): Terms | Refused {
  const now = settings.clock.now()
  const says = directivesOf(headers)
  const refuse = (why: string, always = true): Refused => ({ why, always: always && status < 500 })
  if (asked.noStore) return refuse('request-no-store', false)
  if (says.noStore) return refuse('no-store')
  if (says.isPrivate) return refuse('private')
  // Allowed by the letter, if it is public; but a session that two people share is the worst that can happen.
  if (headers.has('set-cookie')) return refuse('set-cookie')
  if (!understood.has(status)) return refuse('status')
  if (headers.has('content-range')) return refuse('partial')
  if (headers.get('content-type')?.toLowerCase().startsWith('text/event-stream')) return refuse('stream')
  const vary = varyOf(headers)
  if (vary === undefined) return refuse('vary')
  // RFC 9111, 3.5, lets `must-revalidate` do as well; but it is written by many who do not mean to share.
  if (isKnown && !says.isPublic && says.sharedMaxAge === undefined) return refuse('credentials')
  const tags = tagsOf(headers)
  if (tags === undefined) return refuse('too-many-tags')
  const age = initialAge(headers, now)
  const lifetime = says.noCache ? 0 : lifetimeOf(says, headers, now, settings.heuristic)
  if (lifetime <= age && !isValidated(headers)) return refuse('no-freshness')
  return {
    kind: 'response',
    layout: 1,
    status,
    statusText,
    headers: kept(headers, now),
    vary,
    receivedAt: now,
    age,
    lifetime,
    // What must be revalidated is never served stale (RFC 9111, 5.2.2.2).
    staleWhileRevalidate: says.mustRevalidate || says.noCache ? 0 : says.staleWhileRevalidate,
    staleIfError: says.mustRevalidate || says.noCache ? 0 : says.staleIfError,
    tags,
  }
}

/** Whether the handler could be asked if it has changed. */
export const isValidated = (headers: Headers): boolean => headers.has('etag') || headers.has('last-modified')

/** For how long the response is fresh, in seconds (RFC 9111, 4.2.1). */
function lifetimeOf(says: Directives, headers: Headers, now: number, heuristic: number): number {
  const stated = says.sharedMaxAge ?? says.maxAge
  if (stated !== undefined) return stated
  const date = instantOf(headers.get('date')) ?? now
  const expires = headers.get('expires')
  // What is no date has expired already.
  if (expires !== null) return Math.min(mostSeconds, Math.max(0, ((instantOf(expires) ?? 0) - date) / 1_000))
  const modified = instantOf(headers.get('last-modified'))
  if (heuristic === 0 || modified === undefined) return 0
  return Math.min(86_400, Math.max(0, ((date - modified) / 1_000) * heuristic))
}

/** How old the response is when it arrives, in seconds (RFC 9111, 4.2.3). */
function initialAge(headers: Headers, now: number): number {
  const date = instantOf(headers.get('date'))
  const apparent = date === undefined ? 0 : Math.max(0, now - date) / 1_000
  const told = /^\s*(\d{1,10})/.exec(headers.get('age') ?? '')
  // A date has whole seconds: less than one is no age.
  return Math.max(apparent < 1 ? 0 : apparent, told === null ? 0 : Number(told[1]))
}

function kept(headers: Headers, now: number): Stored['headers'] {
  const named = (headers.get('connection') ?? '').toLowerCase().split(',')
  const dropped = new Set([...hopByHop, ...named.map((name) => name.trim())])
  const pairs = [...headers].filter(([name]) => !dropped.has(name))
  if (!headers.has('date')) pairs.push(['date', new Date(now).toUTCString()])
  return pairs
}
