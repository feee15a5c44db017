import type { Clock, Timer } from '@flow-cache/core'

/** How many keys are looked at in one go: well under a millisecond's work. */
const slice = 1_000

/** How long the event loop is left alone between two slices, in milliseconds. */
const pause = 10

/**
 * Looks at every key from time to time, a slice at a time, on one timer that keeps no process alive. It runs only
 * while there are keys.
 */
export class Sweeper {
  readonly #clock: Clock
  readonly #interval: number
  readonly #keys: ReadonlyMap<string, unknown>
  readonly #look: (key: string) => void
  #timer: Timer
  /** Where the search under way stands. A map's iterator bears any change of the map. */
  #cursor: Iterator<string> | undefined

  /** `interval`: from the end of one search to the begin of the next, in milliseconds. `look` may remove the key. */
  constructor(
    clock: Clock,
    interval: number,
    keys: ReadonlyMap<string, unknown>,
    look: (key: string) => void,
  ) {
    this.#clock = clock
    this.#interval = interval
    this.#keys = keys
    this.#look = look
  }

  /** To be called when there may be keys. Does nothing if it is at work. */
  start(): void {
    if (this.#timer === undefined && this.#interval < Infinity && this.#keys.size > 0)
      this.#wait(this.#interval)
  }

  stop(): void {
    this.#cursor = undefined
    if (this.#timer === undefined) return
    this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.setTimer(() => this.#sweep(), ms, false)
  }

  #sweep(): void {
    const cursor = this.#cursor ?? this.#keys.keys()
    let next = cursor.next()
    for (let looked = 1; !next.done; looked++, next = cursor.next()) {
      this.#look(next.value)
      if (looked === slice) break
    }
    this.#timer = undefined
    // A cursor that waited long would keep alive what the map has thrown away.
    this.#cursor = next.done ? undefined : cursor
    if (this.#keys.size > 0) this.#wait(next.done ? this.#interval : pause)
  }
}
