/** A chunk of a stream, and what comes after it. */
export interface Link {
  readonly chunk: unknown
  /** How many bytes all chunks take up to this one. */
  readonly end: number
  next?: Link
  /** There is no next: the stream has ended, or failed with `error`. */
  over?: { readonly error?: unknown; readonly failed: boolean }
}

interface Ask {
  readonly resolve: (result: IteratorResult<unknown, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** Where one reader stands in the chunks. It holds the link it stands at, and so those after it, and none before. */
export class ReplayReader {
  readonly #copy: <V>(chunk: V) => V
  readonly #moved: (reader: ReplayReader) => void
  readonly #asks: Ask[] = []
  #at: Link

  /** `moved` is told when it asks, gets something, or leaves. */
  constructor(at: Link, copy: <V>(chunk: V) => V, moved: (reader: ReplayReader) => void) {
    this.#at = at
    this.#copy = copy
    this.#moved = moved
  }

  /** How many bytes it has got. */
  get got(): number {
    return this.#at.end
  }

  /** Whether it has asked for a chunk that is not there. */
  get isWaiting(): boolean {
    return this.#asks.length > 0
  }

  /** Whether it wants nothing more: it has left, or stands at the end. */
  get isOver(): boolean {
    return this.#at.over !== undefined
  }

  /** The next chunk, once it is there. Who asks twice at once gets two. */
  async next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#asks.push({ resolve, reject })
      this.serve()
    })
  }

  /** Gives up its place: what it asks for, and asked for, rejects with the reason. */
  leave(reason: unknown): void {
    this.#at = { chunk: undefined, end: this.#at.end, over: { failed: true, error: reason } }
    this.serve()
  }

  /** Answers what was asked, as far as there is an answer. */
  serve(): void {
    while (this.#asks.length > 0) {
      const { next, over } = this.#at
      if (next === undefined && over === undefined) break
      const { resolve, reject } = this.#asks.shift()!
      if (next !== undefined) {
        this.#at = next
        resolve({ done: false, value: this.#copy(next.chunk) })
      } else if (over?.failed === true) reject(over.error)
      else resolve({ done: true, value: undefined })
    }
    this.#moved(this)
  }
}
