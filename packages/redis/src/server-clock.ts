import { type Clock, systemClock } from '@flow-cache/core'

/** How many measurements the estimate rests on. */
const kept = 8

interface Measured {
  readonly offset: number
  readonly leastOffset: number
  readonly trip: number
}

/**
 * The server's time, as far as it is known here. Instants in Redis are on its clock, because clocks of different
 * machines order nothing. Of the last measurements the one with the shortest round trip counts, which is wrong by
 * half of it at most. Of a clock that is not the system's, nobody knows that it keeps the server's pace: the shortest
 * of all counts. (Cristian, "Probabilistic clock synchronization", 1989.)
 */
export class ServerClock {
  readonly #clock: Clock
  readonly #keepsPace: boolean
  #measured: readonly Measured[] = []
  /** The server's time less ours, in milliseconds, as it most likely is. */
  offset = 0
  /** The same at the least: an instant of ours plus this is never later, on the server's clock, than that instant. */
  leastOffset = 0

  constructor(clock: Clock, keepsPace: boolean = clock === systemClock) {
    this.#clock = clock
    this.#keepsPace = keepsPace
  }

  /** The server's time now. */
  now(): number {
    return this.#clock.now() + this.offset
  }

  /** The server said `time`, in an answer to what was sent at `sent` on our clock and arrived just now. */
  measure(time: number, sent: number): void {
    const now = this.#clock.now()
    // However slow the way there was, it was not before the sending that the server looked, nor after now.
    const one = { offset: time - (sent + now) / 2, leastOffset: time - now, trip: now - sent }
    const last = this.#measured.slice(1 - kept)
    const best = last.reduce((a, b) => (b.trip <= a.trip ? b : a), one)
    this.#measured = this.#keepsPace ? [...last, one] : [best]
    this.offset = best.offset
    this.leastOffset = best.leastOffset
  }

  /** From here on another server may answer. */
  forget(): void {
    if (this.#keepsPace) this.#measured = []
  }
}
