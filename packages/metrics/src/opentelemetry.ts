import {
  type Attributes,
  type Meter,
  metrics as globalMetrics,
  type Observable,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import type { CacheMetrics } from './cache-metrics.js'
import { counters, durations, type Labelled, numbers, valuesOf } from './exported.js'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Default: that of the global provider, named `@flow-cache/metrics`. `false` for none. */
  readonly meter?: Meter | false | undefined
  /** Makes the spans around loads. Default: that of the global provider. `false` for none. */
  readonly tracer?: Tracer | false | undefined
  /** Whether spans have the keys of their load. Keys may name people. Default: `false`. */
  readonly keys?: boolean | undefined
}

const scope = '@flow-cache/metrics'

/**
 * Tells OpenTelemetry what `metrics` counts: observable counters and gauges, which cost nothing between collections, and
 * histograms of loads and of the hits that were timed. Every loader runs in a span of its own, `load <cache>`, so that
 * what it calls is seen inside; hits have none. The answer stops all of it.
 */
export function instrument(metrics: CacheMetrics, options: InstrumentOptions = {}): () => void {
  const { meter = globalMetrics.getMeter(scope), tracer = trace.getTracer(scope), keys = false } = options
  const stops: (() => void)[] = []
  if (meter !== false) stops.push(measure(metrics, meter))
  if (tracer !== false) {
    for (const [name, cache] of metrics.caches) {
      const around = <T>(asked: readonly string[], namespace: string, run: () => T): T =>
        spanned(tracer, `load ${name}`, attributesOf(name, namespace, asked, keys), run)
      stops.push(cache.watch({ around }))
    }
  }
  return () => {
    for (const stop of stops) stop()
  }
}

function measure(metrics: CacheMetrics, meter: Meter): () => void {
  const observed: (readonly [Observable, () => Iterable<Labelled>])[] = []
  for (const counter of counters) {
    const { help: description, unit } = counter
    const observable = meter.createObservableCounter(dotted(counter.name), { description, unit })
    observed.push([observable, () => valuesOf(metrics, counter)])
  }
  for (const { name, help: description, unit, kind, values } of numbers) {
    const observable =
      kind === 'counter'
        ? meter.createObservableCounter(dotted(name), { description, unit })
        : meter.createObservableUpDownCounter(dotted(name), { description, unit })
    observed.push([observable, () => values(metrics)])
  }
  const observables = observed.map(([observable]) => observable)
  const observe = (result: {
    observe(of: Observable, value: number, attributes?: Attributes): void
  }): void => {
    for (const [observable, values] of observed) {
      for (const { labels, value } of values()) result.observe(observable, value, attributed(labels))
    }
  }
  meter.addBatchObservableCallback(observe, observables)

  const times = (kind: 'hit' | 'load') =>
    meter.createHistogram(dotted(durations[kind].name), {
      description: durations[kind].help,
      unit: 's',
      advice: { explicitBucketBoundaries: [...durations[kind].bounds] },
    })
  const histograms = { hit: times('hit'), load: times('load') }
  const stop = metrics.onTimed(({ cache, kind, tier, failed, ms }) => {
    const labels = { cache, ...(tier !== undefined && { tier }), ...(failed === true && { result: 'error' }) }
    histograms[kind].record(ms / 1_000, attributed(labels))
  })
  return () => {
    meter.removeBatchObservableCallback(observe, observables)
    stop()
  }
}

/** Runs it in a span, which ends when it does, and tells of its error. */
function spanned<T>(tracer: Tracer, name: string, attributes: Attributes, run: () => T): T {
  return tracer.startActiveSpan(name, { kind: SpanKind.INTERNAL, attributes }, (span) => {
    try {
      const answer = run()
      if (!isPromise(answer)) {
        span.end()
        return answer
      }
      void answer.then(
        () => span.end(),
        (error: unknown) => fail(span, error),
      )
      return answer
    } catch (error) {
      fail(span, error)
      throw error
    }
  })
}

function fail(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error))
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: error instanceof Error ? error.message : String(error),
  })
  span.end()
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'

/** By the conventions of OpenTelemetry: a dot after the namespace, and no unit in the name. */
const dotted = (name: string): string => name.replace(/^flow_cache_/, 'flow_cache.').replace(/_seconds$/, '')

const attributed = (labels: Readonly<Record<string, string>>): Attributes =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`flow_cache.${name}`, value]))

function attributesOf(cache: string, namespace: string, asked: readonly string[], keys: boolean): Attributes {
  return {
    ...attributed({ cache, namespace }),
    'flow_cache.key_count': asked.length,
    ...(keys && { 'flow_cache.keys': [...asked] }),
  }
}
