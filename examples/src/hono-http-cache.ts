import { httpCache } from '@flow-cache/http'
import { InMemoryCache } from '@flow-cache/memory'
import { type ExecutionContext, Hono } from 'hono'
import { proxy } from 'hono/proxy'

interface Env {
  /** The address of the service that is to be spared. */
  readonly ORIGIN: string
}

/** Made at import, one for each isolate. What is kept, for how long and for whom is said by the headers of responses. */
const http = httpCache({ cache: new InMemoryCache({ maxBytes: 32 * 1024 * 1024 }) })

/** All there is to cache. Routes of your own may stand beside it: their headers count as well. */
const app = new Hono<{ Bindings: Env }>()

app.all('*', async (c) => {
  const { pathname, search } = new URL(c.req.url)
  return proxy(c.env.ORIGIN + pathname + search, { raw: c.req.raw, redirect: 'manual' })
})

// What is refreshed behind a stale response goes on by the `waitUntil` of the context.
const respond = http.wrap(app.fetch)

/** A worker that is a shared HTTP cache (RFC 9111) in front of a service. */
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const response = respond(request, env, context)
    // A reader who hangs up does not take along the load that others wait for.
    context.waitUntil(response.catch(() => {}))
    return response
  },
}
