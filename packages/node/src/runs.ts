import type { Cache } from '@flow-cache/core'
import type { Run } from './run.js'

type Seat = (run: Run) => void

/**
 * The runs under way on one cache, for those who want to read along. A run whose entry was deleted, replaced or
 * invalidated takes nobody in any more.
 */
export class Runs {
  readonly #runs = new Map<string, Run>()
  readonly #waiting = new Map<string, Set<Seat>>()

  private constructor(cache: Cache) {
    const drop = ({ key }: { readonly key: string }): void => void this.#runs.delete(key)
    cache.on('delete', drop)
    cache.on('expire', drop)
    cache.on('set', drop)
    cache.on('invalidate', () => this.#runs.clear())
    cache.on('clear', () => this.#runs.clear())
  }

  /** Those of a cache: all nodes over one cache share them, as they share its loads. */
  static of(cache: Cache): Runs {
    let runs = known.get(cache)
    if (runs === undefined) known.set(cache, (runs = new Runs(cache)))
    return runs
  }

  /** Takes a seat at the run under way and at each that begins; the answer gives it up. */
  join(key: string, seat: Seat, joinsRunning: boolean): () => void {
    const seats = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, seats)
    seats.add(seat)
    const running = joinsRunning ? this.#runs.get(key) : undefined
    if (running !== undefined) seat(running)
    return () => {
      seats.delete(seat)
      if (seats.size === 0 && this.#waiting.get(key) === seats) this.#waiting.delete(key)
    }
  }

  begin(key: string, run: Run): void {
    this.#runs.set(key, run)
    for (const seat of this.#waiting.get(key) ?? []) seat(run)
  }

  end(key: string, run: Run): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}

const known = new WeakMap<Cache, Runs>()
