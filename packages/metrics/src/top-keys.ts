/** A key that is read often. */
export interface TopKey {
  readonly key: string
  readonly namespace: string
  /** About how often it was read. */
  readonly count: number
  /** How far `count` may be off: see `CacheMetrics.topKeys`. */
  readonly error: number
}

interface Counter extends TopKey {
  count: number
  /** What was counted for another key before, at most. */
  error: number
  /** Where it stands in the heap. */
  place: number
}

/**
 * The keys that are counted most, in room for `most` of them, however many there are.
 *
 * It is Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
 * Streams", ICDT 2005): a new key takes over the counter of the one that was counted least. A key that was counted more
 * often than one `most`th of all is always there, and no count is too low.
 */
export class TopKeys {
  readonly #most: number
  readonly #counters = new Map<string, Counter>()
  /** The counters, each of which is no higher than the two at twice its place: the lowest comes first. */
  readonly #heap: Counter[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** Counts a key `by` more; `error` of it may be somebody else's. */
  add(key: string, namespace: string, by: number, error = 0): void {
    const name = `${namespace}\n${key}`
    let counter = this.#counters.get(name)
    if (counter === undefined) {
      counter = { key, namespace, count: 0, error: 0, place: this.#heap.length }
      if (this.#heap.length < this.#most) this.#heap.push(counter)
      else this.#takeOver(this.#heap[0]!, counter)
      this.#counters.set(name, counter)
    }
    counter.count += by
    counter.error += error
    this.#sink(counter)
    this.#rise(counter)
  }

  /** Those with the highest counts, the highest first. */
  top(limit: number): readonly TopKey[] {
    return this.#heap
      .toSorted((one, other) => other.count - one.count)
      .slice(0, limit)
      .map(({ key, namespace, count, error }) => ({ key, namespace, count, error }))
  }

  #takeOver(lowest: Counter, counter: Counter): void {
    this.#counters.delete(`${lowest.namespace}\n${lowest.key}`)
    counter.count = lowest.count
    counter.error = lowest.count
    counter.place = 0
    this.#heap[0] = counter
  }

  #sink(counter: Counter): void {
    const heap = this.#heap
    for (;;) {
      const left = 2 * counter.place + 1
      const right = left + 1
      const lower = right < heap.length && heap[right]!.count < heap[left]!.count ? right : left
      if (lower >= heap.length || heap[lower]!.count >= counter.count) return
      this.#swap(counter, heap[lower]!)
    }
  }

  #rise(counter: Counter): void {
    while (counter.place > 0) {
      const above = this.#heap[(counter.place - 1) >> 1]!
      if (above.count <= counter.count) return
      this.#swap(counter, above)
    }
  }

  #swap(one: Counter, other: Counter): void {
    const { place } = one
    one.place = other.place
    other.place = place
    this.#heap[one.place] = one
    this.#heap[other.place] = other
  }
}
