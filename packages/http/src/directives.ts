import { parse } from '@tusbar/cache-control'

/** What a `Cache-Control` header says, durations in seconds. */
export interface Directives {
  readonly noStore: boolean
  readonly noCache: boolean
  readonly isPrivate: boolean
  readonly isPublic: boolean
  readonly mustRevalidate: boolean
  readonly onlyIfCached: boolean
  readonly maxAge: number | undefined
  readonly sharedMaxAge: number | undefined
  readonly minFresh: number | undefined
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/** Longer than a year says no more than a year; larger numbers overflow somewhere. */
const most = 31_536_000

/**
 * Reads `Cache-Control`, and `Pragma` where there is none.
 *
 * What forbids is found however it is written, also with a value or in a malformed list; what allows must be well-formed,
 * and said once.
 */
export function directivesOf(headers: Headers): Directives {
  const text = headers.get('cache-control') ?? (headers.get('pragma') === null ? '' : pragma(headers))
  const parsed = parse(text)
  const has = (name: string): boolean => new RegExp(`(?:^|[^\\w-])${name}(?:$|[^\\w-])`, 'i').test(text)
  const seconds = (name: string, value: number | null): number | undefined => {
    if (value === null) return has(name) ? 0 : undefined
    const often = text.match(new RegExp(`(?:^|[^\\w-])${name}\\s*=`, 'gi'))
    return often?.length === 1 ? Math.min(value, most) : 0
  }
  return {
    noStore: has('no-store'),
    noCache: has('no-cache'),
    isPrivate: has('private'),
    isPublic: parsed.public === true,
    mustRevalidate: has('must-revalidate') || has('proxy-revalidate'),
    onlyIfCached: has('only-if-cached'),
    maxAge: seconds('max-age', parsed.maxAge),
    sharedMaxAge: seconds('s-maxage', parsed.sharedMaxAge),
    minFresh: seconds('min-fresh', parsed.minFresh),
    staleWhileRevalidate: seconds('stale-while-revalidate', parsed.staleWhileRevalidate) ?? 0,
    staleIfError: seconds('stale-if-error', parsed.staleIfError) ?? 0,
  }
}

const pragma = (headers: Headers): string => (/no-cache/i.test(headers.get('pragma')!) ? 'no-cache' : '')
