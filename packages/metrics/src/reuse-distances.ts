import type { Clock } from '@flow-cache/core'
import { LiveTimes } from './live-times.js'
import { bucketOf, lowerEdge } from './log-buckets.js'

/** How many keys are followed at most. About 1 MB, however many keys there are. */
export const mostFollowed = 8_192
/** So few are followed whatever they cost. */
const fewest = 16

/** Reads of followed keys that are free, and how many more are with each millisecond: about 1 % of a processor. */
const burst = 200_000
const perMs = 50
/** What is free between two looks at the time, at least. */
const grant = 10_000

/** For a key that is being read. */
const ended = -1

/** A key in the sample. */
export interface Followed {
  readonly hash: number
  /** When it was last read, by the count of reads in the sample. */
  at: number
}

/**
 * How far apart reads of a key are, counted in other keys read between them, from a sample of the keys: what an LRU of
 * every size would have answered.
 *
 * It is SHARDS of fixed size (Waldspurger, Park, Garthwaite and Ahmad, "Efficient MRC Construction with SHARDS",
 * FAST 2015), with the correction it calls SHARDS_adj. A key is followed if its hash is below a limit; where there are
 * more than {@link mostFollowed}, the limit falls. What is found in a share of the keys is true of all, scaled up.
 *
 * A read of a followed key costs a fraction of a microsecond. Where that adds up to more than about 1 % of a processor
 * for long, the limit falls too: what was learned before stays.
 */
export class ReuseDistances {
  /** Keys by namespace. Only few of the maps are empty. */
  readonly #followed = new Map<string, Map<string, Followed>>()
  #size = 0
  readonly #times = new LiveTimes(2 * mostFollowed)
  /** Reads in the sample by distance, in keys; scaled to the share followed now. */
  readonly #counts = new Map<number, number>()
  /** Reads in the sample, first ones included; scaled alike. */
  #sampled = 0
  /** Hashes below are followed. */
  #limit = 2 ** 32
  readonly #clock: Clock
  #given = burst
  #free = burst
  #paidAt: number
  #namespace = ''
  /** The followed keys of the namespace that was entered last: a hit looks its key up there, and no more. */
  here: ReadonlyMap<string, Followed>

  constructor(clock: Clock) {
    this.#clock = clock
    this.#paidAt = clock.now()
    this.here = this.#open('')
  }

  /** The share of all keys that is followed now. */
  get share(): number {
    return this.#limit / 2 ** 32
  }

  /** About how many keys were read. */
  get keys(): number {
    return Math.round(this.#size / this.share)
  }

  /** The calls that follow are about keys of this namespace. */
  enter(namespace: string): void {
    this.#namespace = namespace
    if (this.#followed.size > mostFollowed) this.#prune()
    this.here = this.#open(namespace)
  }

  /** A followed key was read. */
  read(followed: Followed): void {
    this.#count(this.#times.newerThan(followed.at) / this.share)
    this.#times.end(followed.at)
    this.#touch(followed)
    if (--this.#free < 0) this.#pay()
  }

  /** A followed key was written: it is in the cache, as if it had just been read. */
  write(followed: Followed): void {
    this.#times.end(followed.at)
    this.#touch(followed)
  }

  /** A key that is not followed was read, or written: it is from now on, if it is in the sample. */
  offer(key: string, hash: number, isRead: boolean): void {
    if (hash >= this.#limit) return
    const followed = { hash, at: ended }
    this.#open(this.#namespace).set(key, followed)
    this.#size++
    if (isRead) this.#sampled++
    this.#touch(followed)
    if (this.#size > mostFollowed) this.#keep((mostFollowed * 7) / 8)
  }

  /** A key was deleted: no cache of any size has it. */
  forget(key: string): void {
    this.#drop(this.#open(this.#namespace), key)
  }

  /** The share of `reads` that an LRU of so many entries would have answered. `reads`: all that there were. */
  hitRatio(entries: number, reads: number): number {
    if (reads === 0) return 0
    const expected = reads * this.share
    // By chance, keys read often are in the sample or are not: the difference are reads at no distance.
    let hits = expected - this.#sampled
    for (const [bucket, count] of this.#counts) {
      const [from, to] = [lowerEdge(bucket), lowerEdge(bucket + 1)]
      // With d other keys between, an LRU of d + 1 entries still has it.
      hits += count * Math.min(1, Math.max(0, (entries - from) / (to - from)))
    }
    return Math.min(1, Math.max(0, hits / expected))
  }

  #count(distance: number): void {
    const bucket = bucketOf(distance)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
    this.#sampled++
  }

  #touch(followed: Followed): void {
    followed.at = ended
    if (this.#times.full) this.#renumber()
    followed.at = this.#times.begin()
  }

  /** The times are used up: those that count move together, in their order. */
  #renumber(): void {
    const inOrder = this.#all()
      .filter(({ at }) => at !== ended)
      .toSorted((one, other) => one.at - other.at)
    this.#times.clear()
    for (const followed of inOrder) followed.at = this.#times.begin()
  }

  /** What was free is used up. If that was sooner than it may be, fewer keys are followed, to match. */
  #pay(): void {
    const now = this.#clock.now()
    const earned = (now - this.#paidAt) * perMs
    const share = earned / this.#given
    this.#paidAt = now
    this.#given = Math.min(burst, Math.max(grant, earned))
    this.#free = this.#given
    const wanted = Math.max(fewest, Math.floor(this.#size * share))
    if (wanted < this.#size) this.#keep(wanted)
  }

  /** Follows so many from here on, those with the lowest hashes. */
  #keep(many: number): void {
    const hashes = this.#all().map(({ hash }) => hash)
    const limit = hashes.toSorted((one, other) => one - other)[Math.floor(many)]!
    for (const keys of this.#followed.values()) {
      for (const [key, { hash }] of keys) if (hash >= limit) this.#drop(keys, key)
    }
    const left = limit / this.#limit
    for (const [bucket, count] of this.#counts) this.#counts.set(bucket, count * left)
    this.#sampled *= left
    this.#limit = limit
  }

  #drop(keys: Map<string, Followed>, key: string): void {
    const followed = keys.get(key)
    if (followed === undefined) return
    keys.delete(key)
    this.#times.end(followed.at)
    this.#size--
  }

  #all(): Followed[] {
    const all: Followed[] = []
    for (const keys of this.#followed.values()) all.push(...keys.values())
    return all
  }

  #open(namespace: string): Map<string, Followed> {
    let keys = this.#followed.get(namespace)
    if (keys === undefined) this.#followed.set(namespace, (keys = new Map()))
    return keys
  }

  #prune(): void {
    for (const [namespace, keys] of this.#followed) if (keys.size === 0) this.#followed.delete(namespace)
  }
}
