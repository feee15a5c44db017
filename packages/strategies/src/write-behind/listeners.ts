/** Who listens to what. `Events` maps the name of each event to what is told. */
export class Listeners<Events extends { error: { readonly error: unknown; readonly during: string } }> {
  readonly #listeners = new Map<keyof Events, readonly ((event: never) => unknown)[]>()

  /** Tells the listener of every event of that name; the answer stops it. */
  on<E extends keyof Events>(name: E, listener: (event: Events[E]) => void): () => void {
    // Wrapped, so that one function can be added twice and removed once.
    const mine = (event: Events[E]): unknown => listener(event)
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), mine])
    return () => {
      const left = (this.#listeners.get(name) ?? []).filter((other) => other !== mine)
      this.#listeners.set(name, left)
    }
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.length ?? 0) > 0
  }

  emit<E extends keyof Events>(name: E, event: Events[E]): void {
    for (const listener of (this.#listeners.get(name) ?? []) as readonly ((event: Events[E]) => unknown)[]) {
      try {
        const answer = listener(event)
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(name, error))
      } catch (error) {
        this.#failed(name, error)
      }
    }
  }

  #failed(name: keyof Events, error: unknown): void {
    // A failing error listener has nobody left to tell.
    if (name !== 'error') this.emit('error', { error, during: `listener of '${String(name)}'` })
  }
}
