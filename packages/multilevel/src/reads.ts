import { type Awaitable, UnderWay } from '@flow-cache/core'

/** One read or write under way, whose answer may be kept in the near tiers unless its key changes meanwhile. */
export interface Ticket {
  overtaken: boolean
  /** Another one of the same key. */
  next: Ticket | undefined
}

/**
 * The placeholders of reads under way. News of a key marks them, and what a marked one brings is handed to whoever
 * asked and not kept: it may be older than the news. (The race that Redis's page on client-side caching describes.)
 */
export class Reads {
  readonly #open = new UnderWay<Ticket>()

  begin(key: string): Ticket {
    const ticket: Ticket = { overtaken: false, next: this.#open.get(key) }
    this.#open.set(key, ticket)
    return ticket
  }

  end(key: string, ticket: Ticket): void {
    const newest = this.#open.get(key)
    if (newest !== ticket) {
      for (let other = newest; other !== undefined; other = other.next) {
        if (other.next === ticket) other.next = ticket.next
      }
    } else if (ticket.next === undefined) this.#open.delete(key)
    else this.#open.set(key, ticket.next)
  }

  /** `next` of the call's answer, and of whether that may be kept: no news of the key came meanwhile. */
  during<T, U>(key: string, call: () => Awaitable<T>, next: (answer: T, newest: boolean) => U): Promise<U> {
    const ticket = this.begin(key)
    const failed = (error: unknown): never => {
      this.end(key, ticket)
      throw error
    }
    const done = (answer: T): U => {
      this.end(key, ticket)
      return next(answer, !ticket.overtaken)
    }
    try {
      return Promise.resolve(call()).then(done, failed)
    } catch (error) {
      this.end(key, ticket)
      return Promise.reject(error)
    }
  }

  /** The key has changed. */
  overtake(key: string): void {
    for (let ticket = this.#open.get(key); ticket !== undefined; ticket = ticket.next) ticket.overtaken = true
  }

  /** Every key that matches has changed. */
  overtakeWhere(matches: (key: string) => boolean): void {
    for (const [key] of this.#open) if (matches(key)) this.overtake(key)
  }

  /** For how many keys something is under way; for tests. */
  get size(): number {
    return this.#open.size
  }
}
