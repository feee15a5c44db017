import type { Clock, Timer } from './clock.js'

/** Takes a call off: whether it was in time. */
type End = () => boolean

/** Calls `late` after `ms`, unless it is ended before. */
export function deadline(clock: Clock, ms: number, late: () => void): End {
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
      true,
    )
  }
  return end
}

interface Waiting {
  readonly at: number
  /** `undefined` once it has ended. */
  late: (() => void) | undefined
}

/**
 * Deadlines that are all equally far away, on one timer: they come in the order they were set. A timer for each would
 * cost more than the call it watches.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  readonly #ms: number
  #queue: Waiting[] = []
  /** Where the queue begins; what is before it has ended. */
  #head = 0
  #open = 0
  #timer: Timer

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Calls `late` when the time is over, unless it is ended before. */
  add(late: () => void): End {
    if (this.#ms === Infinity) return deadline(this.#clock, Infinity, late)
    const waiting: Waiting = { at: this.#clock.now() + this.#ms, late }
    this.#queue.push(waiting)
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
    this.#head = 0
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimer(() => this.#sweep(), ms, true)
  }

  /** Tells who is late, and waits for the next one. */
  #sweep(): void {
    const queue = this.#queue
    const now = this.#clock.now()
    const late: (() => void)[] = []
    let i = this.#head
    for (; i < queue.length; i++) {
      const waiting = queue[i]!
      if (waiting.late === undefined) continue
      if (waiting.at > now) break
      late.push(waiting.late)
      waiting.late = undefined
    }
    this.#head = i
    if (this.#head > 1_000) {
      this.#queue = queue.slice(this.#head)
      this.#head = 0
    }
    if (this.#open > late.length) this.#arm(Math.max(1, this.#queue[this.#head]!.at - now))
    for (const tell of late) {
      this.#ended()
      tell()
    }
  }
}
