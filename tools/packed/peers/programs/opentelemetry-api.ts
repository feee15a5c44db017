// A collection of what was counted, and the span of the one load.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { instrument } from '@flow-cache/metrics/opentelemetry'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
const meters = new MeterProvider({ readers: [reader] })
const spans = new InMemorySpanExporter()
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })

const cache = new InMemoryCache()
const metrics = new CacheMetrics({ users: cache })
const stop = instrument(metrics, { meter: meters.getMeter('peer'), tracer: tracers.getTracer('peer') })
for (let read = 0; read < 5; read++) await cache.getOrSet('key', async () => 1)

await reader.forceFlush()
const reads = exporter
  .getMetrics()
  .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  .find(({ descriptor }) => descriptor.name === 'flow_cache.reads')
const hits = reads?.dataPoints.find(({ attributes }) => attributes['flow_cache.result'] === 'hit')
assert.equal(hits?.value, 4)
assert.deepEqual(
  spans.getFinishedSpans().map(({ name }) => name),
  ['load users'],
)
stop()
await meters.shutdown()
await cache.close()
