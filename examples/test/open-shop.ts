import { join } from 'node:path'
import { createCache } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import Database from 'libsql'
import { libsqlOrigin } from '../src/libsql-origin.js'
import { type Basket, type Product, Shop } from '../src/shop.js'

/** A shop in one process, with all it has in one folder. */
export function openShop(folder: string) {
  const database = new Database(join(folder, 'shop.db'))
  const cache = createCache({ store: memoryStore() })
  const journal = fileJournal(join(folder, 'baskets'))
  const baskets = libsqlOrigin<Basket>(database, 'baskets')
  const shop = new Shop({
    cache,
    products: libsqlOrigin<Product>(database, 'products'),
    rates: { read: async () => 1 },
    baskets,
    journal,
  })
  return {
    shop,
    baskets,
    journal,
    async close() {
      const report = await shop.close()
      await cache.close()
      database.close()
      return report
    },
  }
}
