const ignore = (): void => {}

/**
 * Has calls for one key take effect in the order they were made, though an adapter may wait for something in one
 * kind of call and not in another. A call for every key waits for all, and all after it wait for it.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()
  #lastOfAll: Promise<unknown> | undefined

  /** Calls when the calls before it for these keys have ended. */
  run<T>(keys: readonly string[], call: () => Promise<T>): Promise<T> {
    const before = new Set<Promise<unknown>>()
    if (this.#lastOfAll !== undefined) before.add(this.#lastOfAll)
    for (const key of keys) {
      const one = this.#last.get(key)
      if (one !== undefined) before.add(one)
    }
    const answer = after(before, call)
    const over = answer.then(ignore, ignore).then(() => {
      for (const key of keys) if (this.#last.get(key) === over) this.#last.delete(key)
    })
    for (const key of keys) this.#last.set(key, over)
    return answer
  }

  /** The same for every key. */
  runAll<T>(call: () => Promise<T>): Promise<T> {
    const before = new Set(this.#last.values())
    if (this.#lastOfAll !== undefined) before.add(this.#lastOfAll)
    const answer = after(before, call)
    const over = answer.then(ignore, ignore).then(() => {
      if (this.#lastOfAll === over) this.#lastOfAll = undefined
    })
    this.#lastOfAll = over
    return answer
  }
}

/** Calls at once where nothing has to be waited for. None of these promises rejects. */
const after = <T>(before: ReadonlySet<Promise<unknown>>, call: () => Promise<T>): Promise<T> =>
  before.size === 0 ? call() : Promise.all(before).then(call)
