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

/** The longest duration: a year. Longer says no more, and larger numbers overflow somewhere. */
export const mostSeconds = 31_536_000

/**
 * Reads `Cache-Control`, and `Pragma` where there is none.
 *
 * What forbids is found however it is written, also with a value or in a malformed list; what allows must be well-formed,
 * and said once.
 */
export function directivesOf(headers: Headers): Directives {
  const text = (
    headers.get('cache-control') ?? (headers.get('pragma') === null ? '' : pragma(headers))
  ).toLowerCase()
  const parsed = parse(text)
  // Most text has most of the names nowhere, which is told at less than an expression costs.
  const has = (name: string): boolean =>
    text.includes(name) && new RegExp(`(?:^|[^\\w-])${name}(?:$|[^\\w-])`).test(text)
  const seconds = (name: string, value: number | null): number | undefined => {
    if (!has(name)) return undefined
    const said = [...text.matchAll(new RegExp(`(?:^|[^\\w-])${name}(?![\\w-])([^,]*)`, 'g'))]
    const isWellFormed = said.length === 1 && /^=(?:\d+|"\d+")\s*$/.test(said[0]![1]!)
    return value !== null && isWellFormed ? Math.min(value, mostSeconds) : 0
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
