import type { Cache } from '@flow-cache/core'
import Fastify, { type FastifyInstance } from 'fastify'

export interface Product {
  readonly id: string
  readonly name: string
  readonly cents: number
}

/** Where the products are. */
export interface Catalogue {
  find(id: string, call: { readonly signal: AbortSignal }): Promise<Product | undefined>
  save(product: Product): Promise<void>
}

/**
 * A service whose readers share one load, get the old answer while the database is away, and see a change at once. It
 * takes the cache over, and closes it when it is closed itself:
 *
 *     const app = productService(new InMemoryCache({ maxEntries: 10_000 }), catalogue)
 *     process.once('SIGTERM', () => void app.close())
 *     await app.listen({ port: 8080 })
 */
export function productService(cache: Cache, catalogue: Catalogue): FastifyInstance {
  const app = Fastify()
  const products = cache.namespace('products', {
    ttl: '1m',
    grace: '6h', // the database may be away for so long
    negativeTtl: '10s', // for so long a product is unknown that was
    timeouts: { soft: '200ms', hard: '5s' },
  })

  app.get<{ Params: { id: string } }>('/products/:id', async ({ params: { id } }, reply) => {
    let loaded = false
    const product = await products.getOrSet(
      id,
      ({ signal }) => {
        loaded = true
        return catalogue.find(id, { signal })
      },
      { tags: ['products'] },
    )
    const { state, ttlMs = 0 } = await products.explain(id)
    // By RFC 9211, as a proxy would say it.
    const how = loaded && state === 'fresh' ? 'fwd=miss; stored' : `hit; ttl=${Math.round(ttlMs / 1_000)}`
    void reply.header('cache-status', `products; ${state === 'stale' ? 'hit; detail=stale' : how}`)
    if (product === undefined) return reply.callNotFound()
    return product
  })

  app.put<{ Params: { id: string }; Body: Omit<Product, 'id'> }>('/products/:id', async (request, reply) => {
    const { id } = request.params
    await catalogue.save({ ...request.body, id })
    // After the write: a load that read the old row is not stored, however long it takes.
    await products.delete(id)
    return reply.code(204).send()
  })

  // After an import, for all of them.
  app.delete('/products', async (_, reply) => {
    await products.invalidateTags(['products'])
    return reply.code(204).send()
  })

  // A connection kept alive for the next request would keep the server from closing for a minute.
  app.addHook('onSend', async (_, reply) => {
    if (!app.server.listening) void reply.header('connection', 'close')
  })
  // Fastify calls it when the requests under way have their answers.
  app.addHook('onClose', async () => cache.close())
  return app
}
