// A scrape of a registry of its own, and of prom-client's.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { exposeMetrics } from '@flow-cache/metrics/prometheus'
import { register, Registry } from 'prom-client'

const cache = new InMemoryCache()
const metrics = new CacheMetrics({ users: cache })
const registry = new Registry()
const stops = [exposeMetrics(metrics, { registry }), exposeMetrics(metrics)]
for (let read = 0; read < 5; read++) await cache.getOrSet('key', async () => 1)

for (const scraped of [await registry.metrics(), await register.metrics()]) {
  assert.match(scraped, /^flow_cache_reads_total\{.*result="hit"\} 4$/m)
  assert.match(scraped, /^flow_cache_load_duration_seconds_count\{.*\} 1$/m)
}
for (const stop of stops) stop()
assert.equal((await registry.metrics()).trim(), '')
await cache.close()
