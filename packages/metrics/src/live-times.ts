/**
 * Instants that are numbered as they begin, and which of them have not ended: how many of those came after one is told
 * in a number of steps that grows with the logarithm of `most` (P. Fenwick, "A new data structure for cumulative
 * frequency tables", 1994).
 */
export class LiveTimes {
  readonly #sums: Int32Array
  #next = 0
  #live = 0

  constructor(most: number) {
    this.#sums = new Int32Array(most + 1)
  }

  /** Whether no more can begin before a `clear`. */
  get full(): boolean {
    return this.#next === this.#sums.length - 1
  }

  begin(): number {
    const time = this.#next++
    this.#add(time, 1)
    this.#live++
    return time
  }

  end(time: number): void {
    this.#add(time, -1)
    this.#live--
  }

  /** How many that have not ended began after it. */
  newerThan(time: number): number {
    let upTo = 0
    for (let i = time + 1; i > 0; i -= i & -i) upTo += this.#sums[i]!
    return this.#live - upTo
  }

  clear(): void {
    this.#sums.fill(0)
    this.#next = 0
    this.#live = 0
  }

  #add(time: number, by: number): void {
    for (let i = time + 1; i < this.#sums.length; i += i & -i) this.#sums[i]! += by
  }
}
