import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { CacheMetrics } from '@flow-cache/metrics'
import { exposeMetrics } from '@flow-cache/metrics/prometheus'
import { register, Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'

async function setUp() {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const metrics = new CacheMetrics(
    { users: cache },
    { clock, sample: 1, savings: { report: () => ({ savedUsd: 0.25, savedTokens: 12 }) } },
  )
  const registry = new Registry()
  const stop = exposeMetrics(metrics, { registry })
  const profiles = cache.namespace('profiles')
  await profiles.getOrSet('a', async () => clock.advance(20))
  await profiles.getOrSet('a', () => 1)
  await profiles.getOrSet('b', () => Promise.reject(new Error('down'))).catch(() => undefined)
  await profiles.set('c', 1)
  return { clock, cache, metrics, registry, stop }
}

/** Asks for the numbers as Prometheus does. */
async function scrape(registry: Registry): Promise<Map<string, number>> {
  const server = createServer((_, response) => {
    void registry.metrics().then((text) => response.setHeader('content-type', registry.contentType).end(text))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^(text\/plain|application\/openmetrics-text)/)
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

describe('a scrape', () => {
  it('has every counter, by cache and namespace', async () => {
    const { registry } = await setUp()
    const found = await scrape(registry)
    const of = 'cache="users",namespace="profiles"'
    expect(Object.fromEntries(found)).toMatchObject({
      [`flow_cache_reads_total{${of},result="hit"}`]: 1,
      [`flow_cache_reads_total{${of},result="stale"}`]: 0,
      [`flow_cache_reads_total{${of},result="miss"}`]: 2,
      [`flow_cache_loads_total{${of},result="value"}`]: 1,
      [`flow_cache_loads_total{${of},result="absent"}`]: 0,
      [`flow_cache_loads_total{${of},result="error"}`]: 1,
      [`flow_cache_changes_total{${of},change="set"}`]: 1,
      [`flow_cache_evictions_total{${of}}`]: 0,
      [`flow_cache_saved_time_seconds_total{${of}}`]: 0.02,
      'flow_cache_tier_hits_total{cache="users",tier="map"}': 1,
      'flow_cache_loads_in_progress{cache="users"}': 0,
      'flow_cache_circuit_open{cache="users"}': 0,
      flow_cache_saved_usd_total: 0.25,
      flow_cache_saved_tokens_total: 12,
    })
  })

  it('has the times as histograms that can be added up', async () => {
    const { registry } = await setUp()
    const found = await scrape(registry)
    expect(Object.fromEntries(found)).toMatchObject({
      'flow_cache_load_duration_seconds_bucket{cache="users",le="0.001"}': 1,
      'flow_cache_load_duration_seconds_bucket{cache="users",le="0.01"}': 1,
      'flow_cache_load_duration_seconds_bucket{cache="users",le="0.025"}': 2,
      'flow_cache_load_duration_seconds_bucket{cache="users",le="+Inf"}': 2,
      'flow_cache_load_duration_seconds_sum{cache="users"}': 0.02,
      'flow_cache_load_duration_seconds_count{cache="users"}': 2,
      'flow_cache_hit_duration_seconds_count{cache="users",tier="map"}': 1,
    })
  })

  it('shows what happened since the one before', async () => {
    const { cache, registry } = await setUp()
    const name = 'flow_cache_reads_total{cache="users",namespace="profiles",result="hit"}'
    expect((await scrape(registry)).get(name)).toBe(1)
    await cache.namespace('profiles').get('a')
    expect((await scrape(registry)).get(name)).toBe(2)
  })

  it('has no key in any label, whatever keys there are', async () => {
    const { cache, registry } = await setUp()
    for (let i = 0; i < 1_000; i++) await cache.namespace(`tenant-${i}`).get(`secret-${i}`)
    const text = await registry.metrics()
    expect(text).not.toContain('secret-')
    expect(new Set(text.match(/namespace="[^"]*"/g)).size).toBe(101)
    expect(text).toContain('namespace="(other)"')
  })
})

it("goes to prom-client's own registry where none is named, and refuses what is none", async () => {
  const { metrics } = await setUp()
  const stop = exposeMetrics(metrics)
  expect(await register.metrics()).toContain('flow_cache_reads_total')
  stop()
  expect(await register.metrics()).not.toContain('flow_cache')
  expect(() => exposeMetrics(metrics, { registry: {} as never })).toThrow(
    'registry must be a Registry of prom-client',
  )
})

it('takes everything out of the registry again', async () => {
  const { metrics, registry, stop } = await setUp()
  stop()
  expect(await registry.metrics()).toBe('\n')
  exposeMetrics(metrics, { registry })
  expect((await scrape(registry)).size).toBeGreaterThan(30)
})
