import type { Bounds } from '../options.js'

/** How many keys the small LRU holds at most; with more, it watches half as many of all. */
const most = 128

/** How far the policy may fall behind before LRU takes over, as a share of what is held. */
const tolerance = 1 / 64

/** How long LRU keeps the lead at least, as a multiple of what is held, in requests: what is not asked for at once has to go. */
const shortest = 8

/** How long LRU keeps the lead at most, as a multiple of what is held, in requests. */
const longest = 64

/** A key the small LRU holds, between those used after and before it. */
class Kept {
  size = 0
  endsAt = 0
  newer: Kept = this
  older: Kept = this
  readonly hash: number

  constructor(hash: number) {
    this.hash = hash
  }

  leave(): void {
    this.newer.older = this.older
    this.older.newer = this.newer
  }

  /** Comes, in no list, right after the other in the order from the newest to the oldest. */
  enter(after: Kept): void {
    this.newer = after
    this.older = after.older
    after.older.newer = this
    after.older = this
  }
}

/**
 * A small exact LRU that plays along, with the bounds scaled down, on a sample of the keys that is chosen by their hash
 * (after Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST 2015). It tells when LRU would do better than
 * what is done: then it leads for eight times as many requests as entries are held, and for twice as many each time that the
 * policy fails again right after.
 */
export class Rival {
  readonly #bounds: Bounds
  readonly #now: () => number
  readonly #kept = new Map<number, Kept>()
  /** The end of the ring of all that are kept: behind it is the one used last, before it the one used longest ago. */
  readonly #end = new Kept(0)
  #bytes = 0
  /** Its bounds, scaled down. */
  #maxEntries = 0
  #maxBytes = 0
  /** A key is watched if these bits of its hash are 0. */
  #mask = 0
  /** Hits the policy has had more than LRU, but no more than the tolerance: a past lead excuses nothing. */
  #lead = 0
  #term = shortest
  /** Watched requests since the lead has changed hands. */
  #requests = 0
  #leads = false

  constructor(bounds: Bounds, now: () => number) {
    this.#bounds = bounds
    this.#now = now
    this.#bound()
  }

  /** Whether the entry used longest ago has to go now. */
  get leads(): boolean {
    return this.#leads
  }

  watches(hash: number): boolean {
    return (hash & this.#mask) === 0
  }

  /** A request for a key it watches, that was `held` or was not and is now. */
  note(hash: number, held: boolean, size: number, endsAt: number): void {
    const kept = this.#kept.get(hash)
    const isHit = kept !== undefined && kept.endsAt > this.#now()
    this.keep(hash, size, endsAt, kept)
    this.#requests++
    const allowed = Math.max(4, this.#kept.size * tolerance)
    if (isHit !== held) this.#lead = Math.min(allowed, this.#lead + (held ? 1 : -1))
    const term = this.#term * this.#kept.size
    if (this.#leads ? this.#requests >= term : this.#lead < -allowed) this.#change(term)
  }

  /** Takes a value in, where it is nobody's merit or fault that there was none. */
  keep(hash: number, size: number, endsAt: number, before: Kept | undefined = this.#kept.get(hash)): void {
    const kept = before ?? new Kept(hash)
    if (before === undefined) this.#kept.set(hash, kept)
    else kept.leave()
    kept.enter(this.#end)
    kept.endsAt = endsAt
    this.#bytes += size - kept.size
    kept.size = size
    if (this.#kept.size > most) this.#watchLess()
    this.#shrink()
  }

  /** The key was removed, not evicted. */
  forget(hash: number): void {
    const kept = this.#kept.get(hash)
    if (kept === undefined) return
    kept.leave()
    this.#bytes -= kept.size
    this.#kept.delete(hash)
  }

  #shrink(): void {
    while (this.#kept.size > this.#maxEntries || this.#bytes > this.#maxBytes)
      this.forget(this.#end.newer.hash)
  }

  #bound(): void {
    const share = 1 / (this.#mask + 1)
    this.#maxEntries = Math.max(1, Math.round(this.#bounds.maxEntries * share))
    this.#maxBytes = this.#bounds.maxBytes * share
  }

  #watchLess(): void {
    this.#mask = 2 * this.#mask + 1
    this.#bound()
    for (const hash of this.#kept.keys()) if (!this.watches(hash)) this.forget(hash)
  }

  #change(term: number): void {
    if (!this.#leads) {
      this.#term =
        this.#requests < term ? Math.min(longest, 2 * this.#term) : Math.max(shortest, this.#term / 2)
    }
    this.#leads = !this.#leads
    this.#lead = 0
    this.#requests = 0
  }
}
