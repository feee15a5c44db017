import type { Clock, Timer } from '@flow-cache/core'

/** How long the event loop may be held up, in milliseconds. */
const longest = 20

/**
 * Gives the event loop its turn where nothing else does. Keys that are all fresh, and an origin that answers at once,
 * are promises that go on and on: timers would not fire, and nobody else would be served. Where the origin is waited
 * for, it has turns enough, and this waits for none.
 */
export class Turns {
  readonly #clock: Clock
  #timer: Timer
  #askedAt = 0
  #turn: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be called, and waited for, now and then. */
  async take(): Promise<void> {
    const now = this.#clock.now()
    if (this.#turn === undefined) {
      this.#askedAt = now
      this.#turn = new Promise((resolve) => {
        const over = (): void => {
          this.#turn = undefined
          resolve()
        }
        this.#timer = this.#clock.setTimer(over, 0, true)
      })
    } else if (now - this.#askedAt >= longest) await this.#turn
  }

  /** To be called at the end. */
  stop(): void {
    this.#clock.clearTimer(this.#timer)
  }
}
