import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createCache, type Store, systemClock } from '@flow-cache/core'
import { mapStore } from '@flow-cache/core/testing'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics, type CacheMetricsOptions } from '@flow-cache/metrics'
import { dashboard, type DashboardOptions } from '@flow-cache/metrics/dashboard'
import { createAdaptorServer } from '@hono/node-server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { complaintsOf, launch, patience } from './browser.js'

let browser: Browser

beforeAll(async () => {
  browser = await launch()
}, 300_000)

afterAll(() => browser?.close())

/** A cache in memory and one whose store can be taken down, shown together. */
async function open(options: CacheMetricsOptions = {}, page: DashboardOptions = {}) {
  const store = { isDown: false }
  const users = new InMemoryCache()
  const orders = createCache({ store: fragile(store) })
  const metrics = new CacheMetrics({ users, orders }, { sample: 1, ...options })
  const handler = dashboard(metrics, { interval: 100, ...page })
  const server = createAdaptorServer({ fetch: handler }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const shown = await browser.newPage()
  shown.setDefaultTimeout(patience)
  onTestFinished(async () => {
    await shown.close()
    handler.close()
    server.close()
    metrics.close()
    await Promise.all([users.close(), orders.close()])
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { users, orders, metrics, store, page: shown, url, complaints: complaintsOf(shown) }
}

function fragile(state: { isDown: boolean }): Store {
  const store = mapStore(systemClock)
  return {
    ...store,
    async get(key) {
      if (state.isDown) throw new Error('down')
      return store.get(key)
    },
  }
}

const firsts = async (page: Page, table: string): Promise<string[]> =>
  page.locator(`${table} tbody tr td:first-child`).allTextContents()

describe('the dashboard', () => {
  it('shows several caches by their names, and money and tokens where somebody knows them', async () => {
    const savings = { report: () => ({ savedUsd: 12.345, savedTokens: 67_890 }) }
    const { users, orders, page, url, complaints } = await open({ savings, curve: true })
    for (const cache of [users, orders.namespace('eu')]) {
      await cache.getOrSet('a', () => 1)
      await cache.get('a')
    }
    await page.goto(url)
    await page.getByText('Live', { exact: true }).waitFor()
    const tiles = await page.locator('#tiles div').allTextContents()
    expect(tiles).toEqual(
      expect.arrayContaining(['Hit ratio50.0 %', 'Reads4', 'Money saved$12.35', 'Tokens saved67,890']),
    )
    expect(await firsts(page, '#tiers')).toEqual([
      'users: hits in memory',
      'users: loads',
      'orders: hits in map',
      'orders: loads',
    ])
    expect(await firsts(page, '#spaces')).toEqual(['users: the root', 'orders: eu'])
    expect(await page.locator('#curves caption').allTextContents()).toEqual(['users', 'orders'])
    expect(complaints).toEqual([])
  })

  it('says that there is no curve, if there is none', async () => {
    const { page, url } = await open()
    await page.goto(url)
    await page.getByText('Off: give CacheMetrics the option curve.').first().waitFor()
  })

  it('says which store is given up, and that it is back', async () => {
    const { orders, store, page, url, complaints } = await open()
    await page.goto(url)
    await page.getByText('Live', { exact: true }).waitFor()
    store.isDown = true
    for (let i = 0; i < 10; i++) await orders.get('a')
    await page.getByText('Live. The store is given up for now: orders').waitFor()
    store.isDown = false
    await expect
      .poll(
        async () => {
          await orders.get('a')
          return page.locator('#state').textContent()
        },
        { timeout: patience },
      )
      .toBe('Live')
    expect(complaints).toEqual([])
  }, 60_000)

  it('never says all or none of what is not quite', async () => {
    const { users, page, url } = await open()
    await users.set('a', 1)
    for (let i = 0; i < 3_000; i++) await users.get('a')
    await users.get('none')
    await page.goto(url)
    await page.locator('#tiles div', { hasText: 'Hit ratio' }).getByText('> 99.9 %').waitFor()
  })

  it('goes on after an answer that is no stream, such as one of a proxy’s', async () => {
    const { page, url } = await open()
    let isDown = true
    await page.route('**/events', async (route) =>
      isDown ? route.fulfill({ status: 502, body: 'Bad gateway' }) : route.continue(),
    )
    await page.goto(url)
    await page.getByText('The server does not answer. Trying again …').waitFor()
    isDown = false
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it('goes on by itself where pages cannot share a stream', async () => {
    const { users, page, url, complaints } = await open()
    await page.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")
    await page.goto(url)
    await page.getByText('Live', { exact: true }).waitFor()
    await users.set('a', 1)
    await users.get('a')
    await page.locator('#tiles div', { hasText: 'Reads' }).getByText('1', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  it('has a legend that only says what the lines are', async () => {
    const { page, url } = await open()
    await page.goto(url)
    await page.getByText('Live', { exact: true }).waitFor()
    const legend = page.locator('#rate .u-series', { hasText: 'reads' })
    await legend.click({ force: true })
    expect(await legend.getAttribute('class')).not.toContain('u-off')
  })
})
