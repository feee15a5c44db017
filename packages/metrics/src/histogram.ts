import { bucketOf, lowerEdge } from './log-buckets.js'

/** What a histogram knows of the times it was given, in milliseconds. All are 0 before the first. */
export interface Latency {
  /** How many were timed. */
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Steps a millisecond: 61 ns each. */
const steps = 2 ** 14
/** Longer times, from about 19 hours, count as this long. */
const longest = 2 ** 40

/**
 * Counts times, in about 9 kB however many there are. Percentiles are right to within 1/32 of themselves; the maximum
 * and the mean are exact.
 */
export class Histogram {
  readonly #counts = new Uint32Array(bucketOf(longest) + 1)
  #count = 0
  #sum = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  /** All of them together, in milliseconds. */
  get sum(): number {
    return this.#sum
  }

  /** Counts one. One below 0 counts as 0: a clock was set back. */
  record(ms: number): void {
    const time = Math.max(0, ms)
    this.#counts[bucketOf(Math.min(longest, time * steps))]!++
    this.#count++
    this.#sum += time
    if (time > this.#max) this.#max = time
  }

  /** The time that this share of them, from 0 to 1, took at most. */
  quantile(share: number): number {
    if (this.#count === 0) return 0
    const wanted = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= wanted) return Math.min(this.#max, (lowerEdge(bucket) + lowerEdge(bucket + 1)) / 2 / steps)
    }
    return this.#max
  }

  /** How many took at most so long: those whose bucket begins below it. */
  upTo(ms: number): number {
    const last = bucketOf(Math.min(longest, ms * steps))
    let seen = 0
    for (let bucket = 0; bucket <= last; bucket++) seen += this.#counts[bucket]!
    return seen
  }

  latency(): Latency {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.#max,
    }
  }
}
