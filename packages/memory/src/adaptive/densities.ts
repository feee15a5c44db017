import { startOf, stepOf, steps } from './ages.js'
import { classes } from './classes.js'

/** What a class takes on trust from all classes together, as a number of entries. */
const trusted = 8

/** How wide each step is, in requests. */
const widths = Float64Array.from({ length: steps }, (_, step) => startOf(step + 1) - startOf(step))

/**
 * How many hits an entry will bring for the room and time it takes, by its class and by its age, as learned from how
 * old entries of the class were when they were used again.
 */
export class Densities {
  /** How many entries entered a class. */
  readonly #entered = new Float64Array(classes)
  /** How many of them were used again in a step of their age. */
  readonly #used = new Float64Array(classes * steps)
  readonly #density = new Float64Array(classes * steps)
  /** Scratch: used again in a step, in any class. */
  readonly #everywhere = new Float64Array(steps)
  /** Scratch: runs of steps that are best kept through together. */
  readonly #hits = new Float64Array(steps)
  readonly #costs = new Float64Array(steps)

  entered(kind: number): void {
    this.#entered[kind]!++
  }

  used(kind: number, age: number): void {
    this.#used[kind * steps + stepOf(age)]!++
  }

  /** Hits for each request that it is kept, at best; 0 where nothing is known. */
  of(kind: number, age: number): number {
    return this.#density[kind * steps + stepOf(age)]!
  }

  /** Halves the weight of all that was learned so far. */
  fade(): void {
    for (let i = 0; i < classes; i++) this.#entered[i]! /= 2
    for (let i = 0; i < classes * steps; i++) this.#used[i]! /= 2
  }

  /** Brings `of` up to date. */
  refresh(): void {
    const entered = this.#entered
    const used = this.#used
    let all = 0
    for (let kind = 0; kind < classes; kind++) all += entered[kind]!
    if (all === 0) return
    const everywhere = this.#everywhere.fill(0)
    for (let i = 0; i < classes * steps; i++) everywhere[i % steps]! += used[i]!
    for (let kind = 0; kind < classes; kind++) {
      const first = kind * steps
      let left = entered[kind]! + trusted
      for (let step = 0; step < steps; step++) {
        const hits = used[first + step]! + (trusted / all) * everywhere[step]!
        this.#hits[step] = hits
        this.#costs[step] = Math.max(left - hits / 2, 1e-9) * widths[step]!
        left = Math.max(0, left - hits)
      }
      this.#settle(first)
    }
  }

  /**
   * At each step, the best ratio of hits to cost over the steps from there to any later one. From the end, a step
   * joins the run behind it while that one is better: what is kept for its sake shares in it.
   */
  #settle(first: number): void {
    const runHits = this.#hits
    const runCosts = this.#costs
    // Runs pile up at the end of the same arrays; `top` is the latest of them.
    let top = steps
    for (let step = steps - 1; step >= 0; step--) {
      let hits = runHits[step]!
      let cost = runCosts[step]!
      while (top < steps && runHits[top]! * cost > hits * runCosts[top]!) {
        hits += runHits[top]!
        cost += runCosts[top]!
        top++
      }
      top--
      runHits[top] = hits
      runCosts[top] = cost
      this.#density[first + step] = hits / cost
    }
  }
}
