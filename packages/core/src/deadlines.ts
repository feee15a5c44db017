import type { Clock, Timer } from './clock.js'

/** Takes a call off: whether it was in time. */
export type End = () => boolean

/** Calls `late` after `ms`, unless it is ended before. `keepAlive`: see {@link Clock.setTimer}. */
export function deadline(clock: Clock, ms: number, keepAlive: boolean, late: () => void): End {
  let over = false
  let timer: Timer
  const end = (): boolean => {
    if (over) return false
    over = true
    clock.clearTimer(timer)
    return true
  }
  if (ms < Infinity) {
    timer = clock.setTimer(
      () => {
        if (end()) late()
      },
      ms,
      keepAlive,
    )
  }
  return end
}

/** How many deadlines that have ended are kept before they are swept out, besides as many as have not. */
const slack = 500

interface Waiting {
  readonly at: number
  /** `undefined` once it has ended. */
  late: (() => void) | undefined
}

const isOpen = ({ late }: Waiting): boolean => late !== undefined

/**
 * Deadlines that are all equally far away, on one timer: they come in the order they were set. A timer for each would
 * cost more than the call it watches.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  readonly #ms: number
  readonly #keepAlive: boolean
  #queue: Waiting[] = []
  #open = 0
  #timer: Timer

  /** `keepAlive`: see {@link Clock.setTimer}. */
  constructor(clock: Clock, ms: number, keepAlive: boolean) {
    this.#clock = clock
    this.#ms = ms
    this.#keepAlive = keepAlive
  }

  /** Calls `late` when the time is over, unless it is ended before. */
  add(late: () => void): End {
    if (this.#ms === Infinity) return deadline(this.#clock, Infinity, false, late)
    const waiting: Waiting = { at: this.#clock.now() + this.#ms, late }
    this.#queue.push(waiting)
    if (this.#queue.length > 2 * this.#open + slack) this.#queue = this.#queue.filter(isOpen)
    if (++this.#open === 1) this.#arm(this.#ms)
    return () => {
      if (waiting.late === undefined) return false
      waiting.late = undefined
      this.#ended()
      return true
    }
  }

  #ended(): void {
    if (--this.#open > 0) return
    this.#clock.clearTimer(this.#timer)
    this.#queue = []
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimer(() => this.#sweep(), ms, this.#keepAlive)
  }

  /** Tells who is late, and waits for the next one. */
  #sweep(): void {
    const queue = this.#queue
    const now = this.#clock.now()
    const late: (() => void)[] = []
    let i = 0
    for (; i < queue.length; i++) {
      const waiting = queue[i]!
      if (waiting.late === undefined) continue
      if (waiting.at > now) break
      late.push(waiting.late)
      waiting.late = undefined
    }
    this.#queue = queue.slice(i)
    if (this.#open > late.length) this.#arm(Math.max(1, this.#queue[0]!.at - now))
    for (const tell of late) {
      this.#ended()
      tell()
    }
  }
}
