import { createCache } from '@flow-cache/core'
import { type FakeClock, fakeClock, mapStore } from '@flow-cache/core/testing'
import { CacheMetrics } from '@flow-cache/metrics'
import { instrument, type InstrumentOptions } from '@flow-cache/metrics/opentelemetry'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

function setUp(options: InstrumentOptions = {}) {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const metrics = new CacheMetrics({ users: cache }, { clock, sample: 1 })
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 30 })
  const meters = new MeterProvider({ readers: [reader] })
  const spans = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer(
    'test',
  )
  const stop = instrument(metrics, { meter: meters.getMeter('test'), tracer, ...options })
  onTestFinished(async () => meters.shutdown())
  return { clock, cache, metrics, exported, reader, spans, tracer, stop }
}

type Point = { readonly attributes: unknown; readonly value: unknown }

/** Collects, and answers with the points of each metric. */
async function collect({
  exported,
  reader,
}: ReturnType<typeof setUp>): Promise<Record<string, readonly Point[]>> {
  exported.reset()
  await reader.forceFlush()
  const all = exported
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  return Object.fromEntries(
    all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => ({ attributes, value })),
    ]),
  )
}

const slow = (clock: FakeClock, ms: number) => async (): Promise<number> => {
  await clock.advance(ms)
  return 1
}

describe('what is collected', () => {
  it('is every counter, by cache and namespace', async () => {
    const all = setUp()
    const { clock, cache } = all
    const profiles = cache.namespace('profiles')
    await profiles.getOrSet('a', slow(clock, 20))
    await profiles.getOrSet('a', slow(clock, 20))
    const found = await collect(all)
    const of = { 'flow_cache.cache': 'users', 'flow_cache.namespace': 'profiles' }
    expect(found['flow_cache.reads']).toContainEqual({
      attributes: { ...of, 'flow_cache.result': 'hit' },
      value: 1,
    })
    expect(found['flow_cache.reads']).toContainEqual({
      attributes: { ...of, 'flow_cache.result': 'miss' },
      value: 1,
    })
    expect(found['flow_cache.saved_time']).toContainEqual({ attributes: of, value: 0.02 })
    expect(found['flow_cache.tier_hits']).toEqual([
      { attributes: { 'flow_cache.cache': 'users', 'flow_cache.tier': 'map' }, value: 1 },
    ])
    expect(found['flow_cache.loads_in_progress']).toEqual([
      { attributes: { 'flow_cache.cache': 'users' }, value: 0 },
    ])
    expect(found['flow_cache.load_duration']).toMatchObject([
      { attributes: { 'flow_cache.cache': 'users' }, value: { count: 1, sum: 0.02 } },
    ])
    expect(found['flow_cache.hit_duration']).toMatchObject([{ value: { count: 1 } }])
  })

  it('is nothing more once it is stopped', async () => {
    const all = setUp()
    all.stop()
    await all.cache.getOrSet('a', () => 1)
    expect(Object.values(await collect(all)).flat()).toEqual([])
    expect(all.spans.getFinishedSpans()).toEqual([])
  })

  it('may be left out', async () => {
    const all = setUp({ meter: false, tracer: false })
    await all.cache.getOrSet('a', () => 1)
    expect(await collect(all)).toEqual({})
    expect(all.spans.getFinishedSpans()).toEqual([])
  })
})

describe('a span', () => {
  it('is around every loader: inside that of the caller, and outside of what the loader does', async () => {
    const { cache, spans, tracer } = setUp()
    await tracer.startActiveSpan('request', async (request) => {
      await cache.getOrSet('a', async () => {
        await Promise.resolve()
        tracer.startSpan('query').end()
        return 1
      })
      await cache.getOrSet('a', () => 2)
      request.end()
    })
    const found = spans.getFinishedSpans()
    expect(found.map(({ name }) => name)).toEqual(['query', 'load users', 'request'])
    const [query, load, request] = found
    expect(query!.parentSpanContext?.spanId).toBe(load!.spanContext().spanId)
    expect(load!.parentSpanContext?.spanId).toBe(request!.spanContext().spanId)
    expect(load!.attributes).toEqual({
      'flow_cache.cache': 'users',
      'flow_cache.namespace': '',
      'flow_cache.key_count': 1,
    })
  })

  it('is one for many keys, and has the keys only if it is to', async () => {
    const { cache, spans } = setUp({ keys: true })
    await cache.getOrSetMany(['a', 'b'], (keys) => keys.map(() => 1))
    expect(spans.getFinishedSpans().map(({ attributes }) => attributes)).toMatchObject([
      { 'flow_cache.key_count': 2, 'flow_cache.keys': ['a', 'b'] },
    ])
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
  ])('tells of a loader that %s, and the caller is told too', async (_, loader) => {
    const { cache, spans } = setUp()
    await expect(cache.getOrSet('a', loader)).rejects.toThrow('down')
    const [span] = spans.getFinishedSpans()
    expect(span).toMatchObject({
      name: 'load users',
      status: { code: SpanStatusCode.ERROR, message: 'down' },
    })
    expect(span!.events[0]).toMatchObject({ name: 'exception' })
  })
})

it('uses the global providers where it is given none', () => {
  const { metrics } = setUp({ meter: false, tracer: false })
  expect(trace.getActiveSpan()).toBeUndefined()
  const stop = instrument(metrics)
  expect(stop).not.toThrow()
})
