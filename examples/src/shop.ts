import type { Cache, Journal } from '@flow-cache/core'
import {
  type FlushReport,
  ReadThrough,
  RefreshAhead,
  SmartCache,
  WriteBehindCache,
  WriteThroughCache,
} from '@flow-cache/strategies'
import type { SqlOrigin } from './libsql-origin.js'

/** What the shop sells. */
export interface Product {
  readonly id: string
  readonly name: string
  readonly cents: number
}

/** How many pieces of each product a customer is about to buy. */
export type Basket = Readonly<Record<string, number>>

/** What the shop is made of. Several processes may share one cache over Redis, and one database. */
export interface ShopParts {
  readonly cache: Cache
  readonly products: SqlOrigin<Product>
  /** Exchange rates, from somebody else's slow service: how many of the currency a euro is. */
  readonly rates: { read(currency: string): Promise<number | undefined> }
  readonly baskets: SqlOrigin<Basket>
  /** Has the baskets on their way to the database: `fileJournal` for one process, `redisJournal` for several. */
  readonly journal: Journal
}

/** A shop with five strategies over one cache, each for what it is good at. */
export class Shop {
  /** Lists ask for many products at once; what is missing is one query. */
  readonly #catalogue: ReadThrough<Product>
  /** A changed price is read by the next request, in every process. */
  readonly #desk: WriteThroughCache<Product>
  /** Nobody waits for the slow service, as long as somebody looks at prices. */
  readonly #rates: RefreshAhead<number>
  /** A page ends when anything on it changes. */
  readonly #pages: SmartCache
  /** Customers change their minds faster than the database cares, and lose nothing when a process dies. */
  readonly #baskets: WriteBehindCache<Basket>

  constructor({ cache, products, rates, baskets, journal }: ShopParts) {
    const shelf = cache.namespace('products', { ttl: '10m', grace: '1h', jitter: 0.1 })
    this.#catalogue = new ReadThrough({ cache: shelf, origin: products, negativeTtl: '10s' })
    this.#desk = new WriteThroughCache({ cache: shelf, origin: products })
    this.#rates = new RefreshAhead({
      cache: cache.namespace('rates', { ttl: '1m', grace: '1h' }),
      origin: rates,
    })
    this.#pages = new SmartCache({ cache: cache.namespace('pages', { ttl: '1h' }) })
    this.#baskets = new WriteBehindCache({
      cache: cache.namespace('baskets', { ttl: '1h' }),
      origin: baskets,
      journal,
    })
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

  async basket(customer: string): Promise<Basket> {
    return (await this.#baskets.get(customer)) ?? {}
  }

  /** Once it resolves, the basket outlives the process, and reaches the database in some seconds. */
  fill(customer: string, basket: Basket): Promise<void> {
    return this.#baskets.set(customer, basket)
  }

  leave(customer: string): Promise<void> {
    return this.#baskets.delete(customer)
  }

  /**
   * Ends what runs by itself, and says how many baskets are not in the database yet: the next process brings them there.
   * The cache and the database are their owner's to close.
   */
  async close(): Promise<FlushReport> {
    await this.#rates.close()
    return this.#baskets.close()
  }
}
