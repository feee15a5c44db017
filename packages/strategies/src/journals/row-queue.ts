/** What can stand in a {@link RowQueue}: in one at a time. */
export interface Queued {
  before: Queued | undefined
  after: Queued | undefined
}

/**
 * A queue of rows from which any can be taken in constant time. A `Map` in its place would step over everything that
 * was ever taken from its front.
 */
export class RowQueue<R extends Queued> {
  #first: Queued | undefined
  #last: Queued | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): R | undefined {
    return this.#first as R | undefined
  }

  add(row: R): void {
    row.before = this.#last
    row.after = undefined
    if (this.#last === undefined) this.#first = row
    else this.#last.after = row
    this.#last = row
    this.#size++
  }

  /** Takes out a row that stands in this queue. */
  remove(row: R): void {
    if (row.before === undefined) this.#first = row.after
    else row.before.after = row.after
    if (row.after === undefined) this.#last = row.before
    else row.after.before = row.before
    row.before = row.after = undefined
    this.#size--
  }

  *[Symbol.iterator](): Generator<R> {
    for (let row = this.#first; row !== undefined;) {
      const { after }: Queued = row
      yield row as R
      row = after
    }
  }
}
