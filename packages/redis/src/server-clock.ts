import { type Clock, systemClock } from '@flow-cache/core'

/** How many measurements the estimate rests on. */
const kept = 8

/**
 * The server's time, as far as it is known here. Instants in Redis are on its clock, because clocks of different
 * machines order nothing. Of the last measurements the one with the shortest round trip counts, which is wrong by
 * half of it at most. A clock that is not the system's is compared once: nobody knows that it keeps the server's pace.
 * (Cristian, "Probabilistic clock synchronization", 1989.)
 */
export class ServerClock {
  readonly #clock: Clock
  readonly #measured: { readonly offset: number; readonly trip: number }[] = []
  /** The server's time less ours, in milliseconds. */
  offset = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The server's time now. */
  now(): number {
    return this.#clock.now() + this.offset
  }

  /** The server said `time`, in an answer to what was sent at `sent` on our clock and arrived just now. */
  measure(time: number, sent: number): void {
    if (this.#measured.length > 0 && this.#clock !== systemClock) return
    const now = this.#clock.now()
    this.#measured.push({ offset: time - (sent + now) / 2, trip: now - sent })
    if (this.#measured.length > kept) this.#measured.shift()
    this.offset = this.#measured.reduce((best, one) => (one.trip <= best.trip ? one : best)).offset
  }
}
