import assert from 'node:assert/strict'
import { createCache, keyOf } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { httpCache } from '@flow-cache/http'
import { honoCache } from '@flow-cache/http/hono'
import { flowKeyv, keyvStore } from '@flow-cache/keyv'
import { LibsqlCache, libsqlStore } from '@flow-cache/libsql'
import { InMemoryCache, memoryStore, SimpleCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { dashboard } from '@flow-cache/metrics/dashboard'
import { publishEvents } from '@flow-cache/metrics/diagnostics'
import { instrument } from '@flow-cache/metrics/opentelemetry'
import { exposeMetrics } from '@flow-cache/metrics/prometheus'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { cacheFn, cacheNode, defineNode, runNode, workflow } from '@flow-cache/node'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { ReadThrough } from '@flow-cache/strategies'
import { flowCacheDriver } from '@flow-cache/unstorage'
import { CacheWarmer } from '@flow-cache/warmer'
import { Registry } from 'prom-client'

const cache = new InMemoryCache({ ttl: '5m', policy: 'adaptive' })
const metrics = new CacheMetrics({ users: cache }, { curve: true })
const registry = new Registry()
const stops = [exposeMetrics(metrics, { registry }), instrument(metrics), publishEvents(metrics)]

const warmer = new CacheWarmer({ cache, load: async ({ key }) => key.length })
assert.equal((await warmer.warm(['a', 'bb'])).loaded, 2)
assert.equal(await cache.get<number>('bb'), 2)

const file = new LibsqlCache({ path: ':memory:' })
assert.equal(await file.getOrSet('a', () => 'kept'), 'kept')
assert.equal(typeof libsqlStore, 'function')
await file.close()

const node = cacheNode(
  defineNode('add', (x: number) => x + 1),
  { cache, scope: 'global' },
)
const first = await runNode(node, 1)
assert.equal(first.success && first.output, 2)
assert.equal((await runNode(node, 1)).metadata?.cache?.status, 'hit')
const double = cacheFn(async (x: number) => x * 2, { name: 'double', cache, scope: 'global' })
assert.equal(await double(2), 4)
assert.equal((await workflow({ id: 'flow', nodes: [node] }).run(1)).status, 'success')

const users = new ReadThrough({
  cache,
  origin: { readMany: async (keys) => new Map(keys.map((key) => [key, key])) },
})
assert.equal(await users.get('user:7'), 'user:7')

const page = dashboard(metrics)
for (const path of ['', 'dashboard.js', 'dashboard.css', 'uplot.js', 'uplot.css', 'report']) {
  assert.equal((await page(new Request(`http://localhost/cache/${path}`))).status, 200, path)
}
assert.match(await registry.metrics(), /flow_cache_reads_total\{.*result="hit"\} [1-9]/)
assert.ok(metrics.report().total.hits > 0)

const answer = httpCache({ cache }).wrap(
  () => new Response(crypto.randomUUID(), { headers: { 'cache-control': 'max-age=60' } }),
)
const [one, two] = [await answer(new Request('http://a.test')), await answer(new Request('http://a.test'))]
assert.equal(await one.text(), await two.text())
assert.equal(typeof honoCache({ cache }), 'function')

const adapter = flowKeyv(cache)
await adapter.set('user:1', 'Ada')
assert.equal(await adapter.get('user:1'), 'Ada')
const driver = flowCacheDriver({ cache })
await driver.setItem('user:2', 'Eve')
assert.equal(await driver.getItem('user:2'), 'Eve')
await using stored = createCache({ store: keyvStore(new Map<string, string>()) })
assert.deepEqual(await stored.getOrSet('at', () => new Date(0)), new Date(0))

const clock = fakeClock()
await using plain = createCache({ store: mapStore(clock), clock })
assert.equal(await plain.getOrSet(keyOf(['a', 1]), () => 1), 1)
assert.equal(new SimpleCache().get('a'), undefined)
assert.ok([memoryStore, MultiLevelCache, RedisCache, redisStore].every((made) => typeof made === 'function'))

for (const stop of stops) stop()
page.close()
await warmer.close()
await cache.close()
process.stdout.write('done\n')
