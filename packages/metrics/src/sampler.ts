import type { Clock, Random } from '@flow-cache/core'

/** Samples that are taken between two looks at the time. */
const looks = 128
/** The shortest time for so many, in milliseconds: 20,000 a second. */
const shortest = 6.4

/**
 * Says which calls are looked at: one of `every`, by chance, so that no pattern is missed. Where calls are so many that
 * more than about 20,000 a second would be, fewer are. With 1, every call is, whatever that costs.
 */
export class Sampler {
  readonly #least: number
  readonly #clock: Clock
  readonly #random: Random
  #every: number
  #most: number
  #left = 0
  #taken = 0
  #lookedAt: number

  constructor(every: number, clock: Clock, random: Random) {
    this.#least = every
    this.#every = every
    this.#most = every
    this.#clock = clock
    this.#random = random
    this.#lookedAt = clock.now()
  }

  /** How many calls the one stands for that was looked at last. */
  get every(): number {
    return this.#every
  }

  /** The most that `every` was. */
  get most(): number {
    return this.#most
  }

  /** Whether the call that comes is looked at. */
  next(): boolean {
    if (--this.#left > 0) return false
    if (this.#least > 1) this.#rearm()
    return true
  }

  #rearm(): void {
    if (++this.#taken === looks) this.#look()
    this.#left = 1 + Math.floor(this.#random() * (2 * this.#every - 1))
  }

  #look(): void {
    const now = this.#clock.now()
    const took = now - this.#lookedAt
    this.#lookedAt = now
    this.#taken = 0
    const wanted = Math.ceil((this.#every * shortest) / took)
    this.#every = Math.max(this.#least, Math.min(2 * this.#every, wanted))
    this.#most = Math.max(this.#most, this.#every)
  }
}
