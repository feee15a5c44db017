import type { Bounds } from '../options.js'

/** How many keys the small LRU holds at most; with more, it watches half as many of all. */
const most = 128

/** A value is large if fewer of its size than this fit into the small LRU. */
const large = 32

/** With fewer keys than this it leads as long as with so many: the policy takes that long to show that it fails. */
const fewest = 64

/** How far the policy may fall behind before LRU takes over, in hits of a usual key. */
const allowed = 4

/** How long LRU keeps the lead at least, as a multiple of what is held, in requests: what is not asked for at once has to go. */
const shortest = 8

/** How long LRU keeps the lead at most, as a multiple of what is held, in requests. */
const longest = 64

/** A key the small LRU holds, between those used after and before it. */
class Kept {
  size = 0
  /** For how many keys it speaks, itself among them. */
  weight = 0
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
 * A small exact LRU that plays along on a sample of the keys that is chosen by their hash (after Waldspurger et al.,
 * "Efficient MRC Construction with SHARDS", FAST 2015); each key it watches speaks for all that it stands for. Keys of large
 * values are watched more often and speak for fewer: else one that brings most of the hits would hardly ever be in the sample,
 * and would not fit if it were. It tells when LRU would do better than what is done: then it leads for eight times as many
 * requests as entries are held, and for twice as many each time that the policy fails again right after.
 */
export class Rival {
  readonly #bounds: Bounds
  readonly #now: () => number
  readonly #kept = new Map<number, Kept>()
  /** The end of the ring of all that are kept: behind it is the one used last, before it the one used longest ago. */
  readonly #end = new Kept(0)
  /** What a whole LRU would hold, by what this one does. */
  #entries = 0
  #bytes = 0
  /** A key of a small value is watched if these bits of its hash are 0. */
  #mask = 0
  /** Hits the policy has had more than LRU, but no more than the tolerance: a past lead excuses nothing. */
  #lead = 0
  #term = shortest
  /** Requests that the watched ones speak for, since the lead has changed hands. */
  #requests = 0
  /** Whether the entry used longest ago has to go now. */
  leads = false

  constructor(bounds: Bounds, now: () => number) {
    this.#bounds = bounds
    this.#now = now
  }

  watches(hash: number, size: number): boolean {
    return (hash & this.#maskOf(size)) === 0
  }

  /** The bits that have to be 0: one fewer for each time that the size doubles, from what is large on. */
  #maskOf(size: number): number {
    return this.#mask >> (32 - Math.clz32((large * size * (this.#mask + 1)) / this.#bounds.maxBytes))
  }

  /** A request for a key it watches, that was `held` or was not and is now. */
  note(hash: number, held: boolean, size: number, endsAt: number): void {
    let kept = this.#kept.get(hash)
    const isHit = kept !== undefined && kept.endsAt > this.#now()
    if (kept !== undefined) kept.leave()
    else this.#kept.set(hash, (kept = new Kept(hash)))
    kept.enter(this.#end)
    kept.endsAt = endsAt
    this.#weigh(kept, size)
    if (this.#kept.size > most) this.#watchLess()
    while (this.#entries > this.#bounds.maxEntries || this.#bytes > this.#bounds.maxBytes)
      this.forget(this.#end.newer.hash)
    this.#requests += kept.weight
    const mean = this.#entries / this.#kept.size
    if (isHit !== held)
      this.#lead = Math.min(allowed * mean, this.#lead + (held ? kept.weight : -kept.weight))
    const term = this.#term * Math.max(this.#entries, fewest * mean)
    if (this.leads ? this.#requests >= term : this.#lead < -allowed * mean) this.#change(term)
  }

  /** The key was removed, not evicted, or its value had died: that is nobody's merit or fault. */
  forget(hash: number): void {
    const kept = this.#kept.get(hash)
    if (kept === undefined) return
    kept.leave()
    this.#weigh(kept, 0, 0)
    this.#kept.delete(hash)
  }

  #weigh(kept: Kept, size: number, weight: number = this.#maskOf(size) + 1): void {
    this.#entries += weight - kept.weight
    this.#bytes += weight * size - kept.weight * kept.size
    kept.size = size
    kept.weight = weight
  }

  #watchLess(): void {
    this.#mask = 2 * this.#mask + 1
    for (const kept of this.#kept.values()) {
      this.#weigh(kept, kept.size)
      if (!this.watches(kept.hash, kept.size)) this.forget(kept.hash)
    }
  }

  #change(term: number): void {
    if (!this.leads)
      this.#term =
        this.#requests < term ? Math.min(longest, 2 * this.#term) : Math.max(shortest, this.#term / 2)
    this.leads = !this.leads
    this.#lead = 0
    this.#requests = 0
  }
}
