import type { Directives } from './directives.js'
import { ageOf, freshFor, type Stored } from './stored.js'

/** What decides whether a kept response will do: what the client asks for, and when. */
export interface Wish {
  readonly directives: Directives
  /** Whether what the client asks of caches counts. */
  readonly obeyRequests: boolean
  readonly now: number
}

/** Whether the response is fresh enough (RFC 9111, 4.2 and 5.2.1). */
export function suffices(stored: Stored, { directives, obeyRequests, now }: Wish): boolean {
  const { noCache, maxAge, minFresh = 0 } = directives
  const left = freshFor(stored, now)
  if (left <= 0 || !obeyRequests) return left > 0
  return !noCache && left >= minFresh && (maxAge === undefined || ageOf(stored, now) <= maxAge)
}

/** Whether the client wants nothing that was begun before it asked. */
export function isReload({ directives, obeyRequests }: Wish): boolean {
  return obeyRequests && (directives.noCache || directives.maxAge === 0)
}

/** Whether a stale response may be served while the handler is asked behind it (RFC 5861, 3). */
export function mayCover(stored: Stored, { directives, obeyRequests, now }: Wish): boolean {
  const { noCache, maxAge, minFresh } = directives
  if (obeyRequests && (noCache || maxAge !== undefined || minFresh !== undefined)) return false
  const late = -freshFor(stored, now)
  return late >= 0 && late < stored.staleWhileRevalidate
}

/** Whether a response may be served in the place of a failure (RFC 5861, 4). */
export function mayStandIn(stored: Stored, now: number): boolean {
  return stored.staleIfError > 0 && -freshFor(stored, now) < stored.staleIfError
}
