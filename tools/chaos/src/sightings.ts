/** What a process was answered. */
export interface Read {
  readonly key: string
  readonly value: string
  readonly process: number
  readonly begin: number
  readonly end: number
}

/** All reads of one value by one process: the more often it is read, the less there is to keep. */
export interface Sighting {
  /** The one that ended first. */
  readonly first: Read
  /** The one that began last. What it may have seen, the others may too. */
  readonly last: Read
  readonly count: number
}

/** Gathers reads. Their number is that of the values and the processes, however many reads there are. */
export class Sightings {
  readonly #all = new Map<string, Sighting>()

  add(sighting: Sighting): void {
    const { key, value, process } = sighting.first
    const name = `${process}\n${key}\n${value}`
    const known = this.#all.get(name)
    this.#all.set(name, known === undefined ? sighting : both(known, sighting))
  }

  /** What was gathered; it is forgotten. */
  take(): Sighting[] {
    const all = [...this.#all.values()]
    this.#all.clear()
    return all
  }

  [Symbol.iterator](): IterableIterator<Sighting> {
    return this.#all.values()
  }
}

const both = (one: Sighting, other: Sighting): Sighting => ({
  first: other.first.end < one.first.end ? other.first : one.first,
  last: other.last.begin > one.last.begin ? other.last : one.last,
  count: one.count + other.count,
})
