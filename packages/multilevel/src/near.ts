import type { Awaitable, Clock, Entry, Store } from '@flow-cache/core'
import { atTier, capped } from './entries.js'

/** A tier in this process, and the longest it may answer by itself, in milliseconds. */
export interface NearTier {
  readonly store: Store
  readonly cap: number
}

/** The tiers in this process, as one. What fails here is a miss: there are others to ask. */
export class Near {
  readonly #tiers: readonly NearTier[]
  readonly #clock: Clock
  /** Nothing is kept: nobody would tell when it changes. */
  closed = false

  constructor(tiers: readonly NearTier[], clock: Clock) {
    this.#tiers = tiers
    this.#clock = clock
  }

  /** The first entry that is fresh, with the tier it was found in. */
  get(key: string): Entry | undefined {
    const now = this.#clock.now()
    for (const [i, { store }] of this.#tiers.entries()) {
      const entry = store.local!.get(key)
      if (entry === undefined || now >= entry.staleAt) continue
      if (i === 0) return entry
      this.#fill(key, entry, i)
      return atTier(entry, i)
    }
    return undefined
  }

  set(key: string, entry: Entry): void {
    this.#fill(key, entry, this.#tiers.length)
  }

  delete(key: string): void {
    for (const { store } of this.#tiers) forget(() => store.delete(key))
  }

  clear(prefix?: string): void {
    for (const { store } of this.#tiers) forget(() => store.clear(prefix))
  }

  /** Keeps an entry in the tiers before `end`, each for no longer than it may. */
  #fill(key: string, entry: Entry, end: number): void {
    if (this.closed) return
    const now = this.#clock.now()
    for (let i = 0; i < end; i++) {
      const { store, cap } = this.#tiers[i]!
      forget(() => store.set(key, capped(entry, now, cap)))
    }
  }
}

/** Does it; a failure of a near tier is no more than an entry that is not there. */
function forget(act: () => Awaitable<unknown>): void {
  try {
    const answer = act()
    if (answer instanceof Promise) answer.catch(() => {})
  } catch {
    // Told by nobody: the next read asks the tiers behind.
  }
}
