import { Counter, Gauge, Histogram, type MetricType, register, type Registry } from 'prom-client'
import type { CacheMetrics, NamedTimes } from './cache-metrics.js'
import { counters, durations, type Labelled, numbers, valuesOf } from './exported.js'

/** Options of {@link exposeMetrics}. */
export interface ExposeOptions {
  /** Where to. Default: prom-client's own, `register`. */
  readonly registry?: Registry | undefined
}

/**
 * Gives a prom-client registry what `metrics` has counted, each time it is scraped; between scrapes it costs nothing. The
 * names are in `docs/metrics.md`. No label has a key in it; those of namespaces are as many as the option `namespaces`
 * allows. The answer takes everything out of the registry again.
 *
 * A registry takes it once: give several caches to one `CacheMetrics`. Names that are taken are prom-client's own error.
 */
export function exposeMetrics(metrics: CacheMetrics, options: ExposeOptions = {}): () => void {
  const { registry = register } = options
  if (typeof registry?.registerMetric !== 'function')
    throw new TypeError('registry must be a Registry of prom-client')
  const names: string[] = []
  const registers = [registry]
  for (const counter of counters) {
    const labelNames = ['cache', 'namespace', ...(counter.label === undefined ? [] : [counter.label])]
    const name = `${counter.name}_total`
    names.push(name)
    const exposed: Counter = new Counter({
      name,
      help: counter.help,
      labelNames,
      registers,
      collect: () => fill(exposed, valuesOf(metrics, counter)),
    })
  }
  for (const { kind, help, values, ...number } of numbers) {
    const name = kind === 'counter' ? `${number.name}_total` : number.name
    names.push(name)
    const Kind = kind === 'counter' ? Counter : Gauge
    const exposed: Counter | Gauge = new Kind({
      name,
      help,
      labelNames: ['cache', 'tier'],
      registers,
      collect: () => fill(exposed, values(metrics)),
    })
  }
  for (const kind of ['hit', 'load'] as const) {
    names.push(durations[kind].name)
    registry.registerMetric(new Times(metrics, kind))
  }
  return () => {
    for (const name of names) registry.removeSingleMetric(name)
  }
}

function fill(metric: Counter | Gauge, all: Iterable<Labelled>): void {
  metric.reset()
  for (const { labels, value } of all) metric.inc(labels, value)
}

type Value = { metricName: string; labels: Record<string, string | number>; value: number }

/** A histogram that was counted elsewhere: prom-client's own can only be told of one time after the other. */
class Times extends Histogram {
  readonly #metrics: CacheMetrics
  readonly #kind: 'hit' | 'load'

  constructor(metrics: CacheMetrics, kind: 'hit' | 'load') {
    const { name, help, bounds } = durations[kind]
    super({ name, help, buckets: [...bounds], labelNames: ['cache', 'tier'], registers: [] })
    this.#metrics = metrics
    this.#kind = kind
  }

  override async get(): ReturnType<Histogram['get']> {
    const mine = [...this.#metrics.times()].filter(({ kind }) => kind === this.#kind)
    return {
      name: durations[this.#kind].name,
      help: durations[this.#kind].help,
      // prom-client declares the enum and has none.
      type: 'histogram' as unknown as MetricType.Histogram,
      aggregator: 'sum',
      collect: () => {},
      values: mine.flatMap((times) => this.#valuesOf(times)),
    }
  }

  /** What prom-client asks in place of `get` where it writes text. */
  async getForPromString(): ReturnType<Histogram['get']> {
    return this.get()
  }

  #valuesOf({ cache, tier, histogram }: NamedTimes): readonly Value[] {
    const { name, bounds } = durations[this.#kind]
    const labels = { cache, ...(tier !== undefined && { tier }) }
    return [
      ...bounds.map((le) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le },
        value: histogram.upTo(le * 1_000),
      })),
      { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: histogram.count },
      { metricName: `${name}_sum`, labels, value: histogram.sum / 1_000 },
      { metricName: `${name}_count`, labels, value: histogram.count },
    ]
  }
}
