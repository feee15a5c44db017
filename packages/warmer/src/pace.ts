import type { Clock } from '@flow-cache/core'
import { untilAborted } from './until-aborted.js'

/** What a {@link Pace} keeps to. */
export interface PaceOptions {
  readonly concurrency: number
  /** Keys a second. */
  readonly rate: number
  readonly clock: Clock
}

/** How much slower than at its best the origin may answer before fewer calls are made at once. */
const patience = 2

/** Differences below this, in milliseconds, are noise: a collection of garbage in this process, or a busy machine. */
const noise = 20

/** How much the last answer counts for what is usual. */
const weight = 0.3

/**
 * How many calls are under way, and how many keys a second. While the origin answers as fast as it can, as many calls as
 * are allowed; when it slows down or fails, half as many, and then one more for each round that goes well.
 * (Additive increase, multiplicative decrease: Chiu and Jain, 1989.)
 */
export class Pace {
  readonly #options: PaceOptions
  /** How many calls may be under way. A fraction is on its way to the next whole one. */
  #limit: number
  #running = 0
  #waiting: (() => void)[] = []
  /** The least that was usual, and what is. */
  #best = Infinity
  #usual: number | undefined
  /** Calls that began before the limit was last lowered say nothing of how it is now. */
  #loweredAt = -Infinity
  /** When the next key may be loaded. */
  #freeAt = -Infinity

  constructor(options: PaceOptions) {
    this.#options = options
    this.#limit = options.concurrency
  }

  /** How many calls may be under way at most. */
  get concurrency(): number {
    return this.#options.concurrency
  }

  /** How many calls may be under way now. */
  get limit(): number {
    return Math.max(1, Math.floor(this.#limit))
  }

  /** Waits for a place, and takes it. Ends early, with `false`, if the signal aborts. */
  async enter(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.#running >= this.limit) {
      await untilAborted(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal)
    }
    if (signal.aborted) return false
    this.#running++
    return true
  }

  /** Gives a place back. */
  leave(): void {
    this.#running--
    this.#wake()
  }

  /** Waits until so many keys may be loaded. Ends early, with `false`, if the signal aborts. */
  async turn(keys: number, signal: AbortSignal): Promise<boolean> {
    const { rate, clock } = this.#options
    if (rate === Infinity) return !signal.aborted
    const now = clock.now()
    const begin = Math.max(now, this.#freeAt)
    this.#freeAt = begin + (keys * 1_000) / rate
    return begin <= now ? !signal.aborted : pause(clock, begin - now, signal)
  }

  /** Notes how a call of the origin went that began at `startedAt`. */
  saw(startedAt: number, ok: boolean): void {
    const now = this.#options.clock.now()
    const ms = now - startedAt
    if (ok) {
      this.#usual = this.#usual === undefined ? ms : this.#usual + (ms - this.#usual) * weight
      this.#best = Math.min(this.#best, this.#usual)
    }
    const slow = this.#usual !== undefined && this.#usual > this.#best * patience + noise
    if (ok && !slow) {
      this.#limit = Math.min(this.#options.concurrency, this.#limit + 1 / this.#limit)
      this.#wake()
    } else if (startedAt >= this.#loweredAt) {
      this.#limit = Math.max(1, this.#limit / 2)
      this.#loweredAt = now
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

/** Waits; `false` as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = (whole: boolean): void => {
      clock.clearTimer(timer)
      signal.removeEventListener('abort', stop)
      resolve(whole)
    }
    const stop = (): void => end(false)
    const timer = clock.setTimer(() => end(true), ms, true)
    signal.addEventListener('abort', stop, { once: true })
  })
}
