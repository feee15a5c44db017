import type { Pace } from './pace.js'

/**
 * A batch's place among the calls of the origin. It is held for the call alone: while what came is put into the cache,
 * the next batch is asked for.
 */
export class Place {
  readonly #pace: Pace
  #isHeld = false

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** Waits for it, unless it is held. Ends early, with `false`, if the signal aborts. */
  async take(signal: AbortSignal): Promise<boolean> {
    if (!this.#isHeld) this.#isHeld = await this.#pace.enter(signal)
    return this.#isHeld
  }

  /** Gives it back, if it is held. */
  leave(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#pace.leave()
  }
}
