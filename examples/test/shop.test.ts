import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisJournal, redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import Database from 'libsql'
import { expect, it } from 'vitest'
import { libsqlOrigin } from '../src/libsql-origin.js'
import { type Basket, type Product, Shop } from '../src/shop.js'

/** Two processes' worth of shops over one Redis and one database. */
async function openShops() {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-shop-'))
  const database = new Database(join(folder, 'shop.db'))
  const products = libsqlOrigin<Product>(database, 'products')
  const baskets = libsqlOrigin<Basket>(database, 'baskets')
  let queries = 0
  const counted = {
    ...products,
    readMany: (...args: Parameters<typeof products.readMany>) => {
      queries++
      return products.readMany(...args)
    },
  }
  let asked = 0
  const rates = {
    read: async (currency: string) => {
      asked++
      return { EUR: 1, CHF: 0.5 }[currency]
    },
  }
  const prefix = `shop-${randomUUID()}:`
  const caches = [1, 2].map(
    () =>
      new MultiLevelCache({
        tiers: [memoryStore(), redisStore({ url: redisUrl(), prefix })],
        timeouts: { store: '10s' },
        leaseTerm: '30s',
      }),
  )
  const shops = caches.map((cache) => {
    const journal = redisJournal({ url: redisUrl(), prefix: `${prefix}baskets:` })
    return new Shop({ cache, products: counted, rates, baskets, journal })
  })
  return {
    shops,
    baskets,
    counts: () => ({ queries, asked }),
    /** Which of these pages are in the cache. */
    async kept(...names: readonly string[]): Promise<readonly string[]> {
      const pages = caches[0]!.namespace('pages')
      const seen = await Promise.all(names.map((name) => pages.explain(name)))
      return seen.filter(({ state }) => state === 'fresh').map(({ key }) => key)
    },
    async [Symbol.asyncDispose]() {
      for (const shop of shops) await shop.close()
      await caches[0]!.clear()
      for (const cache of caches) await cache.close()
      database.close()
      await rm(folder, { recursive: true })
    },
  }
}

const lamp = { id: 'lamp', name: 'Lamp', cents: 4_000 }
const chair = { id: 'chair', name: 'Chair', cents: 9_900 }

it('two processes sell from one shelf, and no page shows what has changed', { timeout: 60_000 }, async () => {
  await using open = await openShops()
  const [here, there] = open.shops as [Shop, Shop]
  await here.change(lamp)
  await here.change(chair)
  expect(await there.list(['chair', 'nothing', 'lamp'])).toEqual([chair, lamp])
  expect(open.counts().queries).toBe(1)

  const sections = [
    ['light', ['lamp']],
    ['all', ['lamp', 'chair']],
  ] as const
  const front = (shop: Shop) => shop.front(sections, 'CHF')
  expect(await front(here)).toBe('# light\nLamp 20.00 CHF\n# all\nLamp 20.00 CHF\nChair 49.50 CHF')
  expect(await front(there)).toBe(await front(here))
  expect(open.counts()).toMatchObject({ asked: 1 })

  await there.change({ ...lamp, cents: 5_000 })
  await expect.poll(() => front(here), { timeout: 20_000 }).toContain('Lamp 25.00 CHF')
  expect(await front(there)).toContain('Lamp 25.00 CHF')

  // A page that was made while news was under way is shown and not kept; the next one is.
  const all = ['all in CHF', 'front in CHF', 'light in CHF']
  await expect.poll(async () => (await front(here), open.kept(...all)), { timeout: 20_000 }).toEqual(all)
  const gone = await here.remove('lamp')
  expect(gone.toSorted()).toEqual(all)
  await expect.poll(() => front(there), { timeout: 20_000 }).toBe('# light\n\n# all\nChair 49.50 CHF')
  expect(await here.product('lamp')).toBeUndefined()
})

it('what one process puts into a basket, the other one finds in it, and the database has it in the end', async () => {
  await using open = await openShops()
  const [here, there] = open.shops as [Shop, Shop]
  await here.fill('ada', { lamp: 1 })
  await here.fill('bob', { chair: 4 })
  expect(await there.basket('ada')).toEqual({ lamp: 1 })
  await there.fill('ada', { lamp: 1, chair: 2 })
  await there.leave('bob')
  await expect.poll(() => here.basket('ada'), { timeout: 20_000 }).toEqual({ lamp: 1, chair: 2 })
  await expect.poll(() => here.basket('bob'), { timeout: 20_000 }).toEqual({})
  expect(await open.baskets.read('ada', {})).toBeUndefined()
  expect(await there.close()).toMatchObject({ pending: 0, dead: 0 })
  expect(await open.baskets.read('ada', {})).toEqual({ lamp: 1, chair: 2 })
  expect(await open.baskets.read('bob', {})).toBeUndefined()
}, 60_000)
