import type { Clock, Timer } from '@flow-cache/core'

/** How many keys are looked at in one go: well under a millisecond's work. */
const slice = 500

/** How long the event loop is left alone between two slices, in milliseconds. */
const pause = 5

/**
 * Looks at every key when it may be worth it, a slice at a time, on one timer that keeps no process alive. While
 * nothing can have changed there is no timer.
 */
export class Sweeper {
  readonly #clock: Clock
  readonly #interval: number
  readonly #keys: ReadonlyMap<string, unknown>
  readonly #look: (key: string) => number
  #timer: Timer
  /** When the timer fires. */
  #due = Infinity
  /** The first instant at which a key that was looked at, or came, is worth another look. */
  #earliest = Infinity
  /** Where the search under way stands. A map's iterator bears any change of the map. */
  #cursor: Iterator<string> | undefined

  /**
   * `interval`: from the end of one search to the begin of the next at least, in milliseconds. `look` may remove the
   * key; otherwise it tells from which instant it is worth another look.
   */
  constructor(
    clock: Clock,
    interval: number,
    keys: ReadonlyMap<string, unknown>,
    look: (key: string) => number,
  ) {
    this.#clock = clock
    this.#interval = interval
    this.#keys = keys
    this.#look = look
  }

  /** There is a key that is worth a look from that instant on. */
  note(instant: number): void {
    if (instant >= this.#earliest) return
    this.#earliest = instant
    const due = Math.max(instant, this.#clock.now() + this.#interval)
    if (due < this.#due) this.#wait(due)
  }

  /** To be called when no key is left. */
  stop(): void {
    this.#cursor = undefined
    this.#earliest = Infinity
    this.#wait(Infinity)
  }

  #wait(due: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#due = due
    this.#timer =
      due === Infinity ? undefined : this.#clock.setTimer(() => this.#sweep(), due - this.#clock.now(), false)
  }

  #sweep(): void {
    this.#timer = undefined
    if (this.#cursor === undefined) this.#earliest = Infinity
    const cursor = this.#cursor ?? this.#keys.keys()
    let next = cursor.next()
    for (let looked = 1; next.done !== true; looked++, next = cursor.next()) {
      this.#earliest = Math.min(this.#earliest, this.#look(next.value))
      if (looked === slice) break
    }
    const isDone = next.done === true || this.#keys.size === 0
    // A cursor that waited long would keep alive what the map has thrown away.
    this.#cursor = isDone ? undefined : cursor
    const now = this.#clock.now()
    this.#wait(isDone ? Math.max(this.#earliest, now + this.#interval) : now + pause)
  }
}
