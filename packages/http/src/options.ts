import { type Cache, type Clock, type Duration, systemClock, toMs } from '@flow-cache/core'
import { checkCount, checkFunction, checkNames, wrong } from './checks.js'

/** What {@link httpCache} takes. */
export interface HttpCacheOptions {
  /** Where responses are kept. Tags of responses are its tags: `cache.invalidateTags` ends data and responses alike. */
  readonly cache: Cache
  /**
   * What of a request names the resource. Default: its URL, without the fragment.
   *
   * Two requests with one key share responses. Leave out only what your handler never looks at.
   */
  readonly key?: ((request: Request) => string) | undefined
  /**
   * The request headers that say who somebody is. Responses to requests with one of them are kept apart from the others,
   * and only if they say `public` or `s-maxage`. Default: `['authorization', 'cookie']`.
   */
  readonly credentials?: readonly string[] | undefined
  /** The longest body that is kept, in bytes; a longer one is passed through. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** How many variants of one resource (by `Vary`) are kept; the one used longest ago goes. Default: 20. */
  readonly maxVariants?: number | undefined
  /**
   * For how long after its end a response with an `ETag` or `Last-Modified` is kept, so that the handler may say that it has
   * not changed. Default: `'1h'`.
   */
  readonly revalidateFor?: Duration | undefined
  /**
   * The share of a response's age (`Date` less `Last-Modified`) for which it is fresh if it does not say, up to a day.
   * Default: `0`, not at all.
   */
  readonly heuristic?: number | undefined
  /**
   * Whether `Cache-Control` of requests counts: `no-cache`, `max-age`, `min-fresh` ask the handler anew. Default: `true`.
   * `no-store` and `only-if-cached` always count.
   *
   * - `false`: nobody outside can have the handler asked more often.
   */
  readonly obeyRequests?: boolean | undefined
  /** The name under which `Cache-Status` says what happened (RFC 9211), `false` for none. Default: `'flow-cache'`. */
  readonly cacheStatus?: string | false | undefined
  /** Is given work that outlives a response, such as a serverless platform's `waitUntil`. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Default: the platform's. Give the cache's. */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** The options with everything filled in. */
export interface Settings {
  readonly cache: Cache
  readonly key: (request: Request) => string
  readonly credentials: readonly string[]
  readonly maxBodyBytes: number
  readonly maxVariants: number
  readonly revalidateFor: number
  readonly heuristic: number
  readonly obeyRequests: boolean
  readonly cacheStatus: string | false
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
  readonly clock: Pick<Clock, 'now'>
}

const names = [
  'cache',
  'key',
  'credentials',
  'maxBodyBytes',
  'maxVariants',
  'revalidateFor',
  'heuristic',
  'obeyRequests',
  'cacheStatus',
  'waitUntil',
  'clock',
]

/** An `sf-token`, as RFC 9211 wants a cache's name. */
const token = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/

const headerName = /^[\w!#$%&'*+.^`|~-]+$/

const urlOf = ({ url }: Request): string => url.split('#', 1)[0]!

/** What `key` makes of a request. Anything but text would be one name for all: `[object Promise]`. */
function textFrom(name: unknown): string {
  if (typeof name !== 'string') wrong('what key answers', 'a string', name)
  return name
}

/** Checks what people gave, and fills in the rest. */
export function settingsOf(options: HttpCacheOptions): Settings {
  checkNames(options, names, 'httpCache')
  const {
    cache,
    key = urlOf,
    credentials = ['authorization', 'cookie'],
    heuristic = 0,
    cacheStatus = 'flow-cache',
    waitUntil,
  } = options
  if (typeof cache?.getOrSet !== 'function') wrong('cache', 'a cache of flow-cache', cache)
  checkFunction(key, 'key')
  const { obeyRequests = true, clock = systemClock } = options
  if (typeof obeyRequests !== 'boolean') wrong('obeyRequests', 'true or false', obeyRequests)
  if (typeof clock?.now !== 'function') wrong('clock', 'an object with now()', clock)
  if (
    !Array.isArray(credentials) ||
    !credentials.every((name) => typeof name === 'string' && headerName.test(name))
  ) {
    wrong('credentials', 'a list of header names', credentials)
  }
  if (waitUntil !== undefined) checkFunction(waitUntil, 'waitUntil')
  if (typeof heuristic !== 'number') wrong('heuristic', 'a number', heuristic)
  if (!(heuristic >= 0 && heuristic <= 1)) {
    throw new RangeError(`heuristic must be from 0 to 1, got ${heuristic}`)
  }
  if (cacheStatus !== false && (typeof cacheStatus !== 'string' || !token.test(cacheStatus))) {
    wrong('cacheStatus', 'a name without spaces, or false', cacheStatus)
  }
  return {
    cache,
    key: (request) => textFrom(key(request)),
    credentials,
    maxBodyBytes: checkCount(options.maxBodyBytes ?? 1_048_576, 0, 'maxBodyBytes'),
    maxVariants: checkCount(options.maxVariants ?? 20, 1, 'maxVariants'),
    revalidateFor: toMs(options.revalidateFor ?? '1h', 'revalidateFor'),
    heuristic,
    obeyRequests,
    cacheStatus,
    waitUntil,
    clock,
  }
}
