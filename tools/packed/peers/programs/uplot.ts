// The page of the dashboard, with the library that draws it.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { dashboard } from '@flow-cache/metrics/dashboard'

const cache = new InMemoryCache()
const page = dashboard(new CacheMetrics({ users: cache }))
const file = async (path: string): Promise<string> => {
  const response = await page(new Request(`http://localhost/cache/${path}`))
  assert.equal(response.status, 200, path)
  return response.text()
}
assert.match(await file(''), /<script/)
assert.match(await file('uplot.css'), /\.uplot/)
assert.match(await file('uplot.js'), /export \{ uPlot as default \}/)
page.close()
await cache.close()
