interface Link {
  readonly chunk?: unknown
  readonly next: Promise<Link | undefined>
  readonly resolve: (next: Link | undefined) => void
  readonly reject: (error: unknown) => void
}

function link(chunk?: unknown): Link {
  let resolve!: (next: Link | undefined) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Link | undefined>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { chunk, next: promise, resolve, reject }
}

/**
 * Chunks that are written once and read by any number of readers, each from the first chunk and at its own pace.
 *
 * Each reader gets what `copy` makes of a chunk, so that what one does to it no other sees.
 *
 * A chain of links: a reader holds the one it stands at, so that what everybody has read can be collected once
 * `forget` was called.
 */
export class ReplayBuffer {
  readonly #copy: <V>(chunk: V) => V
  #first: Link | undefined = link()
  #last = this.#first!

  constructor(copy: <V>(chunk: V) => V) {
    this.#copy = copy
  }

  /** Whether readers who come now get everything from the beginning. */
  get complete(): boolean {
    return this.#first !== undefined
  }

  push(chunk: unknown): void {
    const next = link(chunk)
    this.#last.resolve(next)
    this.#last = next
  }

  end(): void {
    this.#last.resolve(undefined)
  }

  fail(error: unknown): void {
    this.#last.reject(error)
  }

  /** Keeps nothing more for those who come later. */
  forget(): void {
    this.#first = undefined
  }

  /** A reader from the beginning, or `undefined` after `forget`. */
  reader(): (() => Promise<IteratorResult<unknown, undefined>>) | undefined {
    let at = this.#first
    if (at === undefined) return undefined
    return async () => {
      const next: Link | undefined = at === undefined ? undefined : await at.next
      at = next
      return next === undefined
        ? { done: true, value: undefined }
        : { done: false, value: this.#copy(next.chunk) }
    }
  }
}
