interface Due<T> {
  readonly at: number
  readonly what: T
}

/** Gives back what is due, the earliest first. */
export class DueHeap<T> {
  readonly #heap: Due<T>[] = []

  add(at: number, what: T): void {
    const heap = this.#heap
    let i = heap.push({ at, what }) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (heap[parent]!.at <= heap[i]!.at) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Takes out the earliest that is due at `now`. */
  take(now: number): Due<T> | undefined {
    const heap = this.#heap
    const top = heap[0]
    if (top === undefined || top.at > now) return undefined
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      this.#sink()
    }
    return top
  }

  #sink(): void {
    const heap = this.#heap
    for (let i = 0; ;) {
      const left = 2 * i + 1
      if (left >= heap.length) return
      const least = left + 1 < heap.length && heap[left + 1]!.at < heap[left]!.at ? left + 1 : left
      if (heap[i]!.at <= heap[least]!.at) return
      this.#swap(i, least)
      i = least
    }
  }

  #swap(i: number, j: number): void {
    const heap = this.#heap
    ;[heap[i], heap[j]] = [heap[j]!, heap[i]!]
  }
}
