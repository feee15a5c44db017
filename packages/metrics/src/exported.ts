import type { CacheMetrics } from './cache-metrics.js'
import type { Counts } from './counts.js'

/** A number that only grows, as exporters name it. */
export interface ExportedCounter {
  /** By the conventions of Prometheus, without `_total`. */
  readonly name: string
  readonly help: string
  /** What it is counted in, by UCUM: `{read}` for reads, `s` for seconds. */
  readonly unit: string
  /** What tells its numbers of one namespace apart. */
  readonly label?: string
  /** Its numbers, of one namespace's counts: by the label's values, or one. */
  readonly values: (counts: Counts) => Readonly<Record<string, number>>
}

/** Every counter of a namespace. */
export const counters: readonly ExportedCounter[] = [
  {
    name: 'flow_cache_reads',
    help: 'Reads, by what they got from the store: a fresh answer, a stale one, or none.',
    unit: '{read}',
    label: 'result',
    values: ({ hits, staleHits, misses }) => ({ hit: hits, stale: staleHits, miss: misses }),
  },
  {
    name: 'flow_cache_coalesced_reads',
    help: 'Reads without a fresh answer that joined a load under way.',
    unit: '{read}',
    values: ({ coalesced }) => ({ '': coalesced }),
  },
  {
    name: 'flow_cache_loads',
    help: 'Loads that have ended, by how: with a value, without one, or in a failure.',
    unit: '{load}',
    label: 'result',
    values: ({ loads, loadErrors, absent }) => ({
      value: loads - loadErrors - absent,
      absent,
      error: loadErrors,
    }),
  },
  {
    name: 'flow_cache_background_loads',
    help: 'Loads that nobody was waiting for when they began.',
    unit: '{load}',
    values: ({ background }) => ({ '': background }),
  },
  {
    name: 'flow_cache_fenced_loads',
    help: 'Loaded values that were not kept, because their key or a tag changed meanwhile.',
    unit: '{load}',
    values: ({ fenced }) => ({ '': fenced }),
  },
  {
    name: 'flow_cache_changes',
    help: 'Keys that somebody changed, by how.',
    unit: '{key}',
    label: 'change',
    values: ({ sets, deletes, expires }) => ({ set: sets, delete: deletes, expire: expires }),
  },
  {
    name: 'flow_cache_evictions',
    help: 'Entries that the store dropped for want of room.',
    unit: '{entry}',
    values: ({ evictions }) => ({ '': evictions }),
  },
  {
    name: 'flow_cache_poisoned_entries',
    help: 'Entries that could not be used, and were misses.',
    unit: '{entry}',
    values: ({ poisoned }) => ({ '': poisoned }),
  },
  {
    name: 'flow_cache_saved_time_seconds',
    help: 'What loading the answers of hits had taken.',
    unit: 's',
    values: ({ savedMs }) => ({ '': savedMs / 1_000 }),
  },
]

/** One number with the labels that tell it apart. */
export interface Labelled {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The numbers of a counter, of every cache and namespace. */
export function* valuesOf(metrics: CacheMetrics, { label, values }: ExportedCounter): Iterable<Labelled> {
  for (const { cache, namespace, counts } of metrics.counts()) {
    for (const [key, value] of Object.entries(values(counts))) {
      yield { labels: { cache, namespace, ...(label !== undefined && { [label]: key }) }, value }
    }
  }
}

/** What is told of a cache beside its counters. */
export interface ExportedNumber {
  readonly name: string
  readonly help: string
  readonly unit: string
  readonly kind: 'counter' | 'gauge'
  readonly values: (metrics: CacheMetrics) => readonly Labelled[]
}

type Report = ReturnType<CacheMetrics['report']>
const eachCache =
  (value: (report: Report['caches'][string]) => number) =>
  (metrics: CacheMetrics): readonly Labelled[] =>
    Object.entries(metrics.report().caches).map(([cache, report]) => ({
      labels: { cache },
      value: value(report),
    }))

/** Every number of a cache, and of all of them together. */
export const numbers: readonly ExportedNumber[] = [
  {
    name: 'flow_cache_tier_hits',
    help: 'Reads that a tier of the store answered.',
    unit: '{read}',
    kind: 'counter',
    values: (metrics) =>
      Object.entries(metrics.report().caches).flatMap(([cache, { tiers }]) =>
        tiers.map(({ name, hits }) => ({ labels: { cache, tier: name }, value: hits })),
      ),
  },
  {
    name: 'flow_cache_errors',
    help: 'Failures that no caller was told of, such as those of a store.',
    unit: '{error}',
    kind: 'counter',
    values: eachCache(({ errors }) => errors),
  },
  {
    name: 'flow_cache_loads_in_progress',
    help: 'Loads under way.',
    unit: '{load}',
    kind: 'gauge',
    values: eachCache(({ loading }) => loading),
  },
  {
    name: 'flow_cache_circuit_open',
    help: 'Whether the store was given up for now: 1 if it was, 0.5 while it is being tried.',
    unit: '1',
    kind: 'gauge',
    values: eachCache(({ circuit }) => ({ open: 1, 'half-open': 0.5, closed: 0 })[circuit]),
  },
  {
    name: 'flow_cache_saved_usd',
    help: 'US dollars that hits have saved, where that is known.',
    unit: '{USD}',
    kind: 'counter',
    values: (metrics) => [{ labels: {}, value: metrics.report().saved.usd }],
  },
  {
    name: 'flow_cache_saved_tokens',
    help: 'Tokens that hits have saved, where that is known.',
    unit: '{token}',
    kind: 'counter',
    values: (metrics) => [{ labels: {}, value: metrics.report().saved.tokens }],
  },
]

/** Times, by what was timed. */
export const durations: Readonly<
  Record<'hit' | 'load', { readonly name: string; readonly help: string; readonly bounds: readonly number[] }>
> = {
  hit: {
    name: 'flow_cache_hit_duration_seconds',
    help: 'How long hits took, of a sample of them.',
    bounds: [1e-6, 1e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1],
  },
  load: {
    name: 'flow_cache_load_duration_seconds',
    help: 'How long loads took, those that failed included.',
    bounds: [1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
}
