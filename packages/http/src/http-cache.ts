import { checkFunction, checkRequest, checkResponse } from './checks.js'
import { isPartial } from './conditions.js'
import { Exchange } from './exchange.js'
import { type HttpCacheOptions, settingsOf } from './options.js'
import { told } from './replies.js'
import { tagsOf, resourceOf } from './resource.js'
import { Variants } from './variants.js'

/** What answers requests. Frameworks give some of them more than the request. */
export type Handler<Rest extends readonly unknown[] = []> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

/** What one {@link HttpCache.respond} takes. */
export interface RespondOptions {
  /** Whether the handler may run after the response: without, nothing is served stale while it is asked anew. Default: `true`. */
  readonly background?: boolean | undefined
  /** Is given that work, in place of the cache's `waitUntil`. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** A shared cache in front of handlers. */
export interface HttpCache {
  /** A handler like this one that remembers. What follows the request is passed on; a `waitUntil` in it is used. */
  wrap<Rest extends readonly unknown[]>(
    handler: Handler<Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response>
  /** The response to one request. The handler may get another `Request` than this one, with conditions of the cache's own. */
  respond(request: Request, handler: Handler, options?: RespondOptions): Promise<Response>
  /** Ends all that is kept of these resources, by their URLs (or what `key` makes of requests for them). */
  invalidate(...urls: string[]): Promise<void>
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * A shared HTTP cache for Fetch handlers, by RFC 9111. It keeps what says that it may be kept (`Cache-Control: max-age=60`,
 * for one), and nothing else; a hundred requests for one resource ask the handler once; nobody is given what was made
 * for somebody else.
 */
export function httpCache(options: HttpCacheOptions): HttpCache {
  const settings = settingsOf(options)
  const { cache, cacheStatus } = settings
  const variants = new Variants(settings.maxVariants)

  const invalidate = (names: readonly string[]): Promise<void> => cache.invalidateTags(names.flatMap(tagsOf))

  /** A change that succeeded ends what is kept of the resource, and of those it names (RFC 9111, 4.4). */
  async function changed(request: Request, name: string, { status, headers }: Response): Promise<void> {
    if (status < 200 || status >= 400) return
    const names = [name]
    const { origin } = new URL(request.url)
    for (const header of ['location', 'content-location']) {
      const target = headers.get(header)
      if (target === null || !URL.canParse(target, request.url)) continue
      const url = new URL(target, request.url)
      if (url.origin === origin) names.push(settings.key(new Request(url)))
    }
    await invalidate(names)
  }

  async function respond(request: Request, answer: Handler, given: RespondOptions = {}): Promise<Response> {
    checkRequest(request)
    checkFunction(answer, 'handler')
    const handler = async (asked: Request): Promise<Response> => checkResponse(await answer(asked))
    const { method } = request
    if (!safe.has(method)) {
      // Before anything changes, as it may throw.
      const name = settings.key(request)
      const response = await handler(request)
      await changed(request, name, response)
      return told(response, cacheStatus, { forward: 'method' })
    }
    if (method !== 'GET' && method !== 'HEAD') return handler(request)
    const resource = resourceOf(request, settings)
    if (resource.isUnfit || isPartial(request)) {
      return told(await handler(request), cacheStatus, { forward: 'bypass' })
    }
    const { background = true, waitUntil = settings.waitUntil } = given
    const behind = waitUntil ?? (() => {})
    return new Exchange(settings, variants, resource, handler, background ? behind : undefined).answer()
  }

  return {
    wrap(handler) {
      checkFunction(handler, 'handler')
      return (request, ...rest) =>
        respond(request, (asked) => handler(asked, ...rest), { waitUntil: waitUntilOf(rest) })
    },
    respond,
    invalidate: async (...urls) => invalidate(urls.map((url) => settings.key(new Request(url)))),
  }
}

interface Platform {
  waitUntil(work: Promise<unknown>): void
}

/** What a platform hands to its handlers for work that outlives a response. */
function waitUntilOf(rest: readonly unknown[]): RespondOptions['waitUntil'] {
  const isPlatform = (one: unknown): one is Platform =>
    typeof (one as Platform | undefined)?.waitUntil === 'function'
  const platform = rest.find(isPlatform)
  return platform && ((work) => platform.waitUntil(work))
}
