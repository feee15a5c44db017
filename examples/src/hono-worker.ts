import { InMemoryCache } from '@flow-cache/memory'
import { Hono } from 'hono'

interface Env {
  Bindings: {
    /** The address of the service that has the products. */
    readonly ORIGIN: string
  }
}

/**
 * One for each isolate, made at import: requests that meet in it share loads and answers. Isolates do not hear of each
 * other's changes, so `ttl` is how old an answer may be. There is nothing to close: an isolate ends without a word.
 */
const cache = new InMemoryCache({
  maxBytes: 32 * 1024 * 1024,
  ttl: '1m',
  grace: '1h', // the origin may be away for so long
  negativeTtl: '10s', // for so long a product is unknown that was
  errorTtl: '1s', // and for so long a failing origin is left alone
  timeouts: { soft: '300ms', hard: '10s', load: '20s' },
})

/** A worker in front of a slow service. */
const app = new Hono<Env>()

app.get('/products/:id', async (c) => {
  const path = `/products/${encodeURIComponent(c.req.param('id'))}`
  const waitUntil = (work: Promise<unknown>): void => c.executionCtx.waitUntil(work)
  let loaded = false
  const asked = cache.getOrSet(
    path,
    async ({ signal, options }) => {
      loaded = true
      const answer = await fetch(c.env.ORIGIN + path, { signal })
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new Error(`the origin says ${answer.status}`)
      // Fresh for as long as the origin says.
      const maxAge = /max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1]
      if (maxAge !== undefined) options.ttl = Number(maxAge) * 1_000
      return answer.json()
    },
    // What is slower than `soft` finishes after the answer.
    { waitUntil },
  )
  // A reader who hangs up does not take along the load that others wait for.
  waitUntil(asked.catch(() => {}))

  const product = await asked
  const { state, ageMs = 0 } = await cache.explain(path)
  c.header('x-cache', state === 'stale' ? 'stale' : loaded ? 'miss' : 'hit')
  c.header('age', String(Math.floor(ageMs / 1_000)))
  return product === undefined ? c.notFound() : c.json(product)
})

app.onError((error, c) => c.json({ error: error.message }, 502))

export default app
