import type { Clock } from '@flow-cache/core'
import type { Progress, WarmOptions, WarmReport } from './options.js'

/** How many errors a report holds. */
const mostErrors = 1_000

/** How long after one report of progress the next comes, in milliseconds. */
const interval = 100

/** Counts what a run does, and tells of it now and then. */
export class Tally {
  loaded = 0
  skipped = 0
  absent = 0
  failed = 0
  readonly #errors = new Map<string, unknown>()
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #total: number | undefined
  readonly #onProgress: WarmOptions['onProgress']
  #toldAt: number

  constructor(clock: Clock, total: number | undefined, onProgress: WarmOptions['onProgress']) {
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#toldAt = this.#startedAt
    this.#total = total
    this.#onProgress = onProgress
  }

  fail(key: string, error: unknown): void {
    this.failed++
    if (this.#errors.size < mostErrors) this.#errors.set(key, error)
  }

  /** Tells of the progress if it is time, or at the end. */
  tell(atEnd = false): void {
    const now = this.#clock.now()
    if (this.#onProgress === undefined || (!atEnd && now - this.#toldAt < interval)) return
    this.#toldAt = now
    try {
      this.#onProgress(this.#progress())
    } catch {
      // A bar that cannot be drawn is no reason to stop.
    }
  }

  report(aborted: boolean): WarmReport {
    const { leftMs: _, ...progress } = this.#progress()
    return { ...progress, ms: this.#clock.now() - this.#startedAt, aborted, errors: this.#errors }
  }

  #progress(): Progress {
    const { loaded, skipped, absent, failed } = this
    const done = loaded + skipped + absent + failed
    const ms = this.#clock.now() - this.#startedAt
    const rate = ms > 0 ? (done * 1_000) / ms : 0
    const left = this.#total === undefined ? undefined : Math.max(0, this.#total - done)
    return {
      done,
      loaded,
      skipped,
      absent,
      failed,
      total: this.#total,
      rate,
      leftMs: left === undefined ? undefined : left === 0 ? 0 : rate > 0 ? (left * 1_000) / rate : undefined,
    }
  }
}
