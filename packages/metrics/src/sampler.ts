import type { Clock, Random } from '@flow-cache/core'

/** Samples that are taken between two looks at the time. */
const looks = 128
/** The same while every call is looked at: so many may come at once and are counted exactly all the same. */
const looksAtAll = 16_384
/** The shortest time for one, in milliseconds: 20,000 a second. */
const shortest = 0.05

/**
 * Says which calls are looked at: one of `every`, by chance, so that no pattern is missed. Where calls are so many that
 * more than about 20,000 a second would be, fewer are, unless it is not `sparing`. By default it is not with 1: every
 * call is looked at, whatever that costs.
 */
export class Sampler {
  readonly #least: number
  readonly #clock: Clock
  readonly #random: Random
  readonly #sparing: boolean
  #every: number
  #standsFor: number
  #most: number
  #left = 0
  #taken = 0
  #lookedAt: number

  constructor(every: number, clock: Clock, random: Random, sparing: boolean = every > 1) {
    this.#least = every
    this.#every = every
    this.#standsFor = every
    this.#most = every
    this.#clock = clock
    this.#random = random
    this.#sparing = sparing
    this.#lookedAt = clock.now()
  }

  /** How many calls the one stands for that was looked at last. */
  get every(): number {
    return this.#standsFor
  }

  /** The most that `every` was. */
  get most(): number {
    return this.#most
  }

  /** Whether the call that comes is looked at. */
  next(): boolean {
    if (--this.#left > 0) return false
    if (this.#sparing) this.#rearm()
    return true
  }

  #rearm(): void {
    this.#standsFor = this.#every
    if (++this.#taken >= (this.#every === 1 ? looksAtAll : looks)) this.#look()
    this.#left = 1 + Math.floor(this.#random() * (2 * this.#every - 1))
  }

  #look(): void {
    const now = this.#clock.now()
    const took = now - this.#lookedAt
    const wanted = Math.ceil((this.#every * this.#taken * shortest) / took)
    this.#lookedAt = now
    this.#taken = 0
    this.#every = Math.max(this.#least, Math.min(2 * this.#every, wanted))
    this.#most = Math.max(this.#most, this.#every)
  }
}
