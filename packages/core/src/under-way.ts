/** How many keys that have ended are kept before they are swept out, besides as many as are under way. */
const slack = 500

/**
 * What is under way for each key: a map for what comes and goes within moments.
 *
 * A `Map` whose keys are deleted as fast as they are added copies its table over and over, and in V8 each outgrown table
 * leads to the next: a single one in the old generation keeps all that follow from being collected, with what they
 * hold. Here a key that has ended stays without its value, and from time to time a new map takes those that have not.
 */
export class UnderWay<V> {
  #map = new Map<string, V | undefined>()
  #size = 0

  /** How many are under way. */
  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    return this.#map.get(key)
  }

  set(key: string, value: V): void {
    if (this.#map.get(key) === undefined) this.#size++
    this.#map.set(key, value)
    if (this.#map.size > 2 * this.#size + slack) this.#sweep()
  }

  delete(key: string): void {
    if (this.#map.get(key) === undefined) return
    this.#size--
    this.#map.set(key, undefined)
  }

  *[Symbol.iterator](): Generator<[key: string, value: V]> {
    for (const [key, value] of this.#map) if (value !== undefined) yield [key, value]
  }

  #sweep(): void {
    const left = new Map<string, V>()
    // An iterator would make a pair for each of them.
    this.#map.forEach((value, key) => {
      if (value !== undefined) left.set(key, value)
    })
    this.#map = left
  }
}
