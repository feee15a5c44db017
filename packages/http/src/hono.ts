import { httpCache } from './http-cache.js'
import type { HttpCacheOptions } from './options.js'

/** What the middleware uses of Hono's context. */
interface HonoContext {
  readonly req: { raw: Request }
  get res(): Response
  set res(response: Response | undefined)
}

/**
 * The cache as middleware for Hono: `app.use('/api/*', honoCache({ cache }))`. Handlers run while their request is answered and
 * not behind it, so `stale-while-revalidate` asks anew first; `httpCache({ cache }).wrap(app.fetch)` has it in full.
 */
export function honoCache(
  options: HttpCacheOptions,
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  const http = httpCache(options)
  return async (context, next) => {
    const { raw } = context.req
    let isAsked = false
    const response = await http.respond(
      raw,
      async (request) => {
        isAsked = true
        context.req.raw = request
        await next()
        context.req.raw = raw
        return context.res
      },
      { background: false },
    )
    if (!isAsked) return response
    // What is there would be merged into it.
    context.res = undefined
    context.res = response
    return undefined
  }
}
