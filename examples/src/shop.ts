import type { Cache } from '@flow-cache/core'
import { ReadThrough, RefreshAhead, SmartCache, WriteThroughCache } from '@flow-cache/strategies'
import type { SqlOrigin } from './libsql-origin.js'

/** What the shop sells. */
export interface Product {
  readonly id: string
  readonly name: string
  readonly cents: number
}

/** What the shop is made of. Several processes may share one cache over Redis, and one database. */
export interface ShopParts {
  readonly cache: Cache
  readonly products: SqlOrigin<Product>
  /** Exchange rates, from somebody else's slow service: how many of the currency a euro is. */
  readonly rates: { read(currency: string): Promise<number | undefined> }
}

/** A shop with four strategies over one cache, each for what it is good at. */
export class Shop {
  /** Lists ask for many products at once; what is missing is one query. */
  readonly #catalogue: ReadThrough<Product>
  /** A changed price is read by the next request, in every process. */
  readonly #desk: WriteThroughCache<Product>
  /** Nobody waits for the slow service, as long as somebody looks at prices. */
  readonly #rates: RefreshAhead<number>
  /** A page ends when anything on it changes. */
  readonly #pages: SmartCache

  constructor({ cache, products, rates }: ShopParts) {
    const shelf = cache.namespace('products', { ttl: '10m', grace: '1h', jitter: 0.1 })
    this.#catalogue = new ReadThrough({ cache: shelf, origin: products, negativeTtl: '10s' })
    this.#desk = new WriteThroughCache({ cache: shelf, origin: products })
    this.#rates = new RefreshAhead({
      cache: cache.namespace('rates', { ttl: '1m', grace: '1h' }),
      origin: rates,
    })
    this.#pages = new SmartCache({ cache: cache.namespace('pages', { ttl: '1h' }) })
  }

  product(id: string): Promise<Product | undefined> {
    return this.#catalogue.get(id)
  }

  /** The products that there are, in the order asked for. */
  async list(ids: readonly string[]): Promise<readonly Product[]> {
    return [...(await this.#catalogue.getMany(ids)).values()]
  }

  /** Once it resolves, no process shows the old one, on no page. */
  async change(product: Product): Promise<void> {
    await this.#desk.set(product.id, product)
    await this.#pages.invalidate(`product ${product.id}`)
  }

  /** Once it resolves, no process shows it any more. Answers with the pages that were taken down. */
  async remove(id: string): Promise<readonly string[]> {
    await this.#desk.delete(id)
    return this.#pages.invalidate(`product ${id}`)
  }

  /** A price list in a currency. */
  page(name: string, ids: readonly string[], currency: string): Promise<string> {
    const key = `${name} in ${currency}`
    return this.#pages.getOrSet(
      key,
      async () => {
        const [products, rate = 1] = await Promise.all([this.list(ids), this.#rates.get(currency)])
        return products
          .map(({ name, cents }) => `${name} ${((cents / 100) * rate).toFixed(2)} ${currency}`)
          .join('\n')
      },
      // Known before the page is made, so that a change meanwhile is noticed in every process.
      { dependsOn: ids.map((id) => `product ${id}`) },
    )
  }

  /** The front page shows other pages, and ends with any of them. */
  front(
    pages: readonly (readonly [name: string, ids: readonly string[]])[],
    currency: string,
  ): Promise<string> {
    return this.#pages.getOrSet(
      `front in ${currency}`,
      async () => {
        const parts = await Promise.all(pages.map(([name, ids]) => this.page(name, ids, currency)))
        return parts.map((part, i) => `# ${pages[i]![0]}\n${part}`).join('\n')
      },
      { dependsOn: pages.map(([name]) => `${name} in ${currency}`) },
    )
  }

  /** Ends what runs by itself. The cache and the database are their owner's to close. */
  async close(): Promise<void> {
    await this.#rates.close()
  }
}
