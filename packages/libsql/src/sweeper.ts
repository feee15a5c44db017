import type { Timer } from '@flow-cache/core'
import type { CacheFile } from './cache-file.js'
import type { Settings } from './options.js'

/** How many entries are removed in one go, and how long the event loop is left alone between two. */
const slice = 200
const pause = 5

/** Removes what has ended, a slice at a time, on one timer that keeps no process alive and is there while something can end. */
export class Sweeper {
  readonly #file: CacheFile
  readonly #settings: Settings
  #timer: Timer
  /** When the timer fires. */
  #due = Infinity

  constructor(file: CacheFile, settings: Settings) {
    this.#file = file
    this.#settings = settings
    this.#wait(this.#next())
  }

  /** There is something that ends then. */
  note(instant: number): void {
    if (instant >= this.#due) return
    const due = Math.max(instant, this.#settings.clock.now() + this.#settings.sweepInterval)
    if (due < this.#due) this.#wait(due)
  }

  stop(): void {
    this.#wait(Infinity)
  }

  #wait(due: number): void {
    const { clock } = this.#settings
    if (this.#timer !== undefined) clock.clearTimer(this.#timer)
    this.#due = due
    this.#timer = due === Infinity ? undefined : clock.setTimer(() => this.#sweep(), due - clock.now(), false)
  }

  #sweep(): void {
    const { clock, sweepInterval } = this.#settings
    this.#timer = undefined
    try {
      const isMore = this.#remove()
      this.#wait(isMore ? clock.now() + pause : this.#next())
    } catch {
      // Another process writes, or the disk is full: what has expired is not answered anyway, and goes next time.
      this.#wait(clock.now() + sweepInterval)
    }
  }

  #remove(): boolean {
    const { clock, tagTtl } = this.#settings
    return this.#file.transact((sql) => {
      const now = clock.now()
      sql.sweepLeases.run([now])
      if (sql.sweepTags.run([now - tagTtl]).changes > 0) sql.moveHorizon.run([])
      return sql.sweep.run([now, slice]).changes === slice
    })
  }

  /** When it is worth another look, as the file stands. */
  #next(): number {
    const { clock, tagTtl, sweepInterval } = this.#settings
    const { firstEnd, firstLeaseEnd, anyTag } = this.#file.sql
    const first = Math.min(...[firstEnd, firstLeaseEnd].map((end) => Number(end.get([])![0] ?? Infinity)))
    const ofTags = anyTag.get([]) === undefined ? Infinity : clock.now() + tagTtl / 4
    return Math.max(clock.now() + sweepInterval, Math.min(first, ofTags))
  }
}
