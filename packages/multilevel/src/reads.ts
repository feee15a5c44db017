/** One read or write under way, whose answer may be kept in the near tiers unless its key changes meanwhile. */
export interface Ticket {
  overtaken: boolean
}

/**
 * The placeholders of reads under way. News of a key marks them, and what a marked one brings is handed to whoever
 * asked and not kept: it may be older than the news. (The race that Redis's page on client-side caching describes.)
 */
export class Reads {
  readonly #open = new Map<string, Set<Ticket>>()

  begin(key: string): Ticket {
    const ticket: Ticket = { overtaken: false }
    const others = this.#open.get(key)
    if (others === undefined) this.#open.set(key, new Set([ticket]))
    else others.add(ticket)
    return ticket
  }

  end(key: string, ticket: Ticket): void {
    const open = this.#open.get(key)
    open?.delete(ticket)
    if (open?.size === 0) this.#open.delete(key)
  }

  /** The key has changed. */
  overtake(key: string): void {
    for (const ticket of this.#open.get(key) ?? []) ticket.overtaken = true
  }

  /** Every key that matches has changed. */
  overtakeWhere(matches: (key: string) => boolean): void {
    for (const key of this.#open.keys()) if (matches(key)) this.overtake(key)
  }

  /** How many are under way; for tests. */
  get size(): number {
    return this.#open.size
  }
}
