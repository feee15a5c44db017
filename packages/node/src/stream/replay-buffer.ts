import { type Link, ReplayReader } from './replay-reader.js'

/**
 * Chunks that are written once and read by any number of readers, each from the first chunk and at its own pace.
 *
 * Each reader gets what `copy` makes of a chunk, so that what one does to it no other sees.
 *
 * Up to `maxBytes` all chunks are held, for those who come later. Past that nobody can come any more, and held is what
 * the slowest reader has not got: a chain of links, of which each reader holds the one it stands at. It is for the
 * writer to wait for `room` before each chunk; so about twice `maxBytes` are held at most.
 */
export class ReplayBuffer {
  readonly #copy: <V>(chunk: V) => V
  readonly #maxBytes: number
  readonly #readers = new Set<ReplayReader>()
  #first: Link | undefined = { chunk: undefined, end: 0 }
  #last: Link = this.#first!
  #giveRoom: (() => void) | undefined

  constructor(copy: <V>(chunk: V) => V, maxBytes: number) {
    this.#copy = copy
    this.#maxBytes = maxBytes
  }

  push(chunk: unknown, bytes: number): void {
    const next: Link = { chunk, end: this.#last.end + bytes }
    this.#last.next = next
    this.#last = next
    if (next.end > this.#maxBytes) this.#first = undefined
    this.#serve()
  }

  end(): void {
    this.#last.over = { failed: false }
    this.#serve()
  }

  fail(error: unknown): void {
    this.#last.over = { failed: true, error }
    this.#serve()
  }

  /** A reader from the beginning, or `undefined` where that is not held any more. */
  reader(): ReplayReader | undefined {
    if (this.#first === undefined) return undefined
    const reader = new ReplayReader(this.#first, this.#copy, (moved) => {
      if (moved.isOver) this.#readers.delete(moved)
      if (this.#giveRoom !== undefined && this.#hasRoom()) this.#giveRoom()
    })
    this.#readers.add(reader)
    return reader
  }

  /** Resolves when the next chunk may come. */
  async room(): Promise<void> {
    if (this.#hasRoom()) return
    await new Promise<void>((resolve) => (this.#giveRoom = resolve))
    this.#giveRoom = undefined
  }

  /**
   * While all is held, always. After that, if somebody waits for a chunk and nobody is further behind than `maxBytes`.
   * Without readers nothing is held, and nothing is waited for.
   */
  #hasRoom(): boolean {
    if (this.#first !== undefined || this.#readers.size === 0) return true
    const readers = [...this.#readers]
    const slowest = Math.min(...readers.map(({ got }) => got))
    return this.#last.end - slowest <= this.#maxBytes && readers.some(({ isWaiting }) => isWaiting)
  }

  #serve(): void {
    for (const reader of this.#readers) reader.serve()
  }
}
