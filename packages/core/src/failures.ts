interface Failure {
  readonly error: unknown
  readonly until: number
}

/** How many failures are remembered at once. The oldest is forgotten first, and its key may be loaded again sooner. */
const most = 10_000

/** Which keys failed to load a moment ago, and are not to be tried again yet. */
export class Failures {
  readonly #failures = new Map<string, Failure>()

  /** The failure that still holds the key off at `now`. */
  get(key: string, now: number): Failure | undefined {
    const failure = this.#failures.get(key)
    if (failure === undefined || now < failure.until) return failure
    this.#failures.delete(key)
    return undefined
  }

  add(key: string, error: unknown, until: number): void {
    this.#failures.delete(key)
    if (this.#failures.size >= most) this.#failures.delete(this.#failures.keys().next().value as string)
    this.#failures.set(key, { error, until })
  }

  delete(key: string): void {
    this.#failures.delete(key)
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of this.#failures.keys()) if (matches(key)) this.#failures.delete(key)
  }
}
