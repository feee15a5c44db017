import type { Cache } from '@flow-cache/core'
import { sum, totalsOf } from './counts.js'
import type { Histogram } from './histogram.js'
import { type CacheMetricsOptions, checkWhole, type Settings, settingsOf } from './options.js'
import { Recorder, type Timed } from './recorder.js'
import type { CacheReport, CurvePoint, MetricsReport, NamedCounts } from './report.js'
import { checkSnapshot, type MetricsSnapshot, snapshotOf } from './snapshot.js'
import type { TopKey } from './top-keys.js'

/** One of the keys that are read most. */
export interface HotKey extends TopKey {
  /** The name of its cache. */
  readonly cache: string
}

/** What `hitRatioCurve` is asked for. */
export interface CurveOptions {
  /** Which cache, by its name. May be left out where there is one. */
  readonly cache?: string | undefined
  /** How many entries the cache holds now. Default: what its store says. */
  readonly capacity?: number | undefined
  /** Sizes in entries, in place of multiples of the capacity. */
  readonly sizes?: readonly number[] | undefined
}

/** Times that were counted, for exporters. */
export interface NamedTimes {
  readonly cache: string
  readonly kind: 'hit' | 'load'
  /** Of hits: the tier that had the answer. */
  readonly tier?: string
  readonly histogram: Histogram
}

const curveOptions: readonly string[] = ['cache', 'capacity', 'sizes']

/** Multiples of what the cache holds now. */
const factors = [1 / 4, 1 / 2, 1, 2, 4, 8]

/**
 * Counts what one cache or several do, from now on: reads and what became of them, loads, what was kept and dropped, how
 * long it took, which keys are read most, and how much a cache of another size would answer.
 *
 * Each cache is counted whole, with all its namespaces. What is counted agrees with `cache.stats()` if nothing happened
 * before; every count is exact, and latencies, top keys and the curve come from samples. It takes a bounded amount of
 * memory, whatever keys there are: about 4 MB a cache, and the keys themselves.
 */
export class CacheMetrics {
  readonly #recorders = new Map<string, Recorder>()
  readonly #settings: Settings
  readonly #listeners = new Set<(timed: Timed) => void>()
  readonly #since: number

  /**
   * `caches`: one, which is called `'cache'`, or several by name. Give one clock to them and to this. A `TypeError` or a
   * `RangeError` says which option is wrong.
   */
  constructor(caches: Cache | Readonly<Record<string, Cache>>, options: CacheMetricsOptions = {}) {
    this.#settings = settingsOf(options)
    this.#since = this.#settings.clock.now()
    const tell = (timed: Timed): void => {
      for (const listener of this.#listeners) {
        try {
          listener(timed)
        } catch {
          // Somebody waits for a value, whom it does not concern.
        }
      }
    }
    for (const [name, cache] of Object.entries(named(caches))) {
      this.#recorders.set(name, new Recorder(name, cache, this.#settings, tell))
    }
  }

  /** The caches, by name. */
  get caches(): ReadonlyMap<string, Cache> {
    return new Map([...this.#recorders].map(([name, { cache }]) => [name, cache]))
  }

  /** Everything that was counted so far. Costs some 0.1 ms: for people and pages, not for every request. */
  report(): MetricsReport {
    const { clock, savings } = this.#settings
    const caches = Object.fromEntries(
      [...this.#recorders].map(([name, recorder]) => [name, reportOf(recorder)]),
    )
    const total = totalsOf(sum(Object.values(caches)))
    const { savedUsd = 0, savedTokens = 0 } = savings?.report() ?? {}
    return {
      since: this.#since,
      at: clock.now(),
      caches,
      total,
      saved: { ms: total.savedMs, usd: savedUsd, tokens: savedTokens },
    }
  }

  /**
   * The keys that are read most, the first of them first; of one cache, or of all.
   *
   * `count` is about how often a key was read, and `error` how far that may be off. A part of it comes from the bounded
   * room: `count` is never too low by that. The rest comes from the sample that is taken where reads are more than some
   * 20,000 a second, and holds for 19 of 20 keys; until then, and with `sample: 1`, there is none.
   */
  topKeys(limit = 10, cache?: string): readonly HotKey[] {
    checkWhole(limit, 'limit', 1)
    const asked = cache === undefined ? [...this.#recorders.values()] : [this.#recorder(cache)]
    return asked
      .flatMap((recorder) =>
        recorder.keys.top(limit).map((top): HotKey => {
          const { key, namespace, count } = top
          return { cache: recorder.name, key, namespace, count, error: margin(top, recorder.sample) }
        }),
      )
      .toSorted((one, other) => other.count - one.count)
      .slice(0, limit)
  }

  /**
   * What share of the reads an LRU cache of other sizes would have answered: a quarter to eight times of what the cache
   * holds now, if that is known, otherwise powers of two up to the number of keys.
   *
   * Of a sample of at most 8,192 keys, followed since the beginning; within 2 points of the truth for most traffic.
   * Entries count alike, whatever their size, and none ends by its ttl or by an invalidation: the curve says what size
   * does. Compare its points with each other, not with `hitRatio`, which is lower by what has ended.
   */
  hitRatioCurve(options: CurveOptions = {}): readonly CurvePoint[] {
    for (const name of Object.keys(options)) {
      if (!curveOptions.includes(name))
        throw new TypeError(`unknown option '${name}' of hitRatioCurve; known are ${curveOptions.join(', ')}`)
    }
    const recorder = this.#recorder(options.cache)
    const { distances, reads, cache } = recorder
    if (distances === undefined)
      throw new TypeError('hitRatioCurve needs `new CacheMetrics(cache, { curve: true })`')
    const { capacity = cache.maxEntries, sizes } = options
    if (capacity !== undefined) checkWhole(capacity, 'capacity', 1)
    for (const size of sizes ?? []) checkWhole(size, 'sizes', 1)
    return (sizes ?? sizesFor(capacity, distances.keys)).map((entries) => ({
      entries,
      factor: capacity === undefined ? undefined : entries / capacity,
      hitRatio: distances.hitRatio(entries, reads),
    }))
  }

  /** The keys that are read most, to be kept across a restart. Plain data, for `JSON.stringify`. */
  snapshot(): MetricsSnapshot {
    const keys = [...this.#recorders].map(([name, recorder]) => [name, recorder.keys.top(Infinity)] as const)
    return snapshotOf(this.#settings.clock.now(), Object.fromEntries(keys))
  }

  /**
   * Adds what a snapshot has of the caches that are counted here, as if it had been read since; names of others are left
   * out. One that is damaged or of something else is a `CacheError` with the code `ERR_SNAPSHOT`, and adds nothing.
   */
  restore(snapshot: MetricsSnapshot): void {
    const { topKeys } = checkSnapshot(snapshot)
    if (this.#settings.topKeys === 0) return
    for (const [name, keys] of Object.entries(topKeys)) {
      const recorder = this.#recorders.get(name)
      for (const { key, namespace, count, error } of keys) recorder?.keys.add(key, namespace, count, error)
    }
  }

  /** Every namespace's counts, for exporters. */
  *counts(): Iterable<NamedCounts> {
    for (const [cache, { namespaces }] of this.#recorders) {
      for (const [namespace, counts] of namespaces) yield { cache, namespace, counts: { ...counts } }
    }
  }

  /** The times that were counted, for exporters. Hits are a sample. */
  *times(): Iterable<NamedTimes> {
    for (const [cache, { tiers, tierTimes, loadTimes }] of this.#recorders) {
      for (const [i, tier] of tiers.entries()) yield { cache, kind: 'hit', tier, histogram: tierTimes[i]! }
      yield { cache, kind: 'load', histogram: loadTimes }
    }
  }

  /** Tells of every load, and of every hit that was timed, as it is; the answer stops that. What it throws is ignored. */
  onTimed(listener: (timed: Timed) => void): () => void {
    const mine = (timed: Timed): void => listener(timed)
    this.#listeners.add(mine)
    return () => this.#listeners.delete(mine)
  }

  /** Counts no more. The caches are left open, and what was counted can still be asked for. */
  close(): void {
    for (const recorder of this.#recorders.values()) recorder.stop()
    this.#listeners.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #recorder(name: string | undefined): Recorder {
    const names = [...this.#recorders.keys()]
    if (name === undefined && names.length > 1) {
      throw new TypeError(`say of which cache: ${names.join(', ')}`)
    }
    const recorder = this.#recorders.get(name ?? names[0]!)
    if (recorder === undefined) throw new TypeError(`there is no cache '${name}', only ${names.join(', ')}`)
    return recorder
  }
}

function named(caches: Cache | Readonly<Record<string, Cache>>): Readonly<Record<string, Cache>> {
  const all = isCache(caches) ? { cache: caches } : caches
  const isRecord = typeof all === 'object' && all !== null && Object.keys(all).length > 0
  if (!isRecord || !Object.values(all).every(isCache)) {
    throw new TypeError('CacheMetrics needs a cache, or an object of caches by name')
  }
  return all
}

const isCache = (value: unknown): value is Cache => typeof (value as Cache | null)?.watch === 'function'

function reportOf(recorder: Recorder): CacheReport {
  const { cache, errors, circuit, tiers, tierHits, tierTimes, hitTimes, loadTimes } = recorder
  return {
    ...totalsOf(sum(recorder.namespaces.values())),
    errors,
    loading: cache.stats().loading,
    circuit,
    tiers: tiers.map((name, i) => ({ name, hits: tierHits[i]!, latency: tierTimes[i]!.latency() })),
    namespaces: Object.fromEntries(
      [...recorder.namespaces].map(([name, counts]) => [name, totalsOf(counts)]),
    ),
    latency: { hit: hitTimes.latency(), load: loadTimes.latency() },
  }
}

/** Twice the standard deviation of a count of which one in `sample` was seen, and what the room adds. */
const margin = ({ count, error }: TopKey, sample: number): number =>
  Math.ceil(error + 2 * Math.sqrt(count * (sample - 1)))

function sizesFor(capacity: number | undefined, keys: number): readonly number[] {
  if (capacity !== undefined) return factors.map((factor) => Math.max(1, Math.round(capacity * factor)))
  const most = Math.ceil(Math.log2(Math.max(2, keys)))
  return Array.from({ length: most + 1 }, (_, power) => 2 ** power)
}
