import { InMemoryCache } from '@flow-cache/memory'

/** Made at import, as workers do: there is no time and no randomness yet. */
const cache = new InMemoryCache({ ttl: '3s', tags: ['everything'] })
let loads = 0

/** A worker that answers a path with the number of its load: `/slow` asks the origin in `env` for a while first. */
export default {
  async fetch(request: Request, env: { readonly ORIGIN: string }): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (request.method === 'DELETE') await cache.invalidateTags(['everything'])
    const value = await cache.getOrSet(pathname, async ({ signal }) => {
      if (pathname === '/slow') await fetch(env.ORIGIN, { signal })
      return ++loads
    })
    return Response.json(value)
  },
}
