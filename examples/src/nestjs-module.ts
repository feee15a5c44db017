import { Cache, type CacheOptions, createCache } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common'

/**
 * A cache for the whole application, by its class: `constructor(@Inject(Cache) cache: Cache)`. Import it once, in the root
 * module, with a store for production:
 *
 *     CacheModule.forRoot({ store: tieredStore({ tiers: [memoryStore(), redisStore({ url })] }), grace: '6h' })
 *
 * Nest closes the cache in its last phase, after its servers: no request, job or other module needs it any more.
 * `app.close()` gets there, and with `app.enableShutdownHooks()` SIGTERM does.
 */
@Module({})
export class CacheModule implements OnApplicationShutdown {
  readonly #cache: Cache

  constructor(@Inject(Cache) cache: Cache) {
    this.#cache = cache
  }

  static forRoot(options: Partial<CacheOptions> = {}): DynamicModule {
    const cache: Provider = {
      provide: Cache,
      useFactory: () => createCache({ store: memoryStore(), ...options }),
    }
    return { module: CacheModule, global: true, providers: [cache], exports: [cache] }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#cache.close()
  }
}

export interface Price {
  readonly cents: number
}

/** Asks for prices, somewhere slow. */
export abstract class PriceList {
  abstract find(product: string, signal: AbortSignal): Promise<Price>
}

/** A service as the application's own are: it gets the cache, and keeps its keys apart from all others. */
@Injectable()
export class Prices {
  readonly #cache: Cache
  readonly #list: PriceList

  constructor(@Inject(Cache) cache: Cache, @Inject(PriceList) list: PriceList) {
    this.#cache = cache.namespace('prices', { ttl: '1m', grace: '6h' })
    this.#list = list
  }

  of(product: string): Promise<Price> {
    return this.#cache.getOrSet(product, ({ signal }) => this.#list.find(product, signal))
  }

  /** Once it resolves, nobody gets the old price any more. */
  async changed(product: string): Promise<void> {
    await this.#cache.delete(product)
  }
}
