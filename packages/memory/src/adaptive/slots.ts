import { classes } from './classes.js'

const words = 4
const previous = 0
const next = 1
const lastUse = 2
const about = 3

/** The bits of `about`: the class, then how often it was used, then 24 of the hash. */
const kindBits = 4
const kindMask = 15
const aboutBits = 0xff

/**
 * Places for entries, in a list for each class, the one used last first. A place is four words side by side: its
 * neighbours, the request of its last use, what is known of it. Places 0 to `classes - 1` are the ends of the lists, so
 * that no list is ever empty-handed. Places are made as they are needed.
 */
export class Slots {
  #words = new Int32Array(0)
  #hashes = new Int32Array(0)
  /** The first of the places that are free, linked by `next`; 0 for none. */
  #free = 0
  /** How many places were ever handed out, ends included. */
  #made = classes

  /** How many places there can be, ends included. */
  readonly #most: number

  /** `most`: how many entries there can be. */
  constructor(most: number) {
    this.#most = most + classes
    this.#grow(64)
    for (let end = 0; end < classes; end++) this.#join(end, end)
  }

  /** A free place, in no list yet. */
  take(hash: number): number {
    const slot = this.#free
    if (slot !== 0) {
      this.#free = this.#words[slot * words + next]!
      this.#name(slot, hash)
      return slot
    }
    if (this.#made === this.#hashes.length) this.#grow(Math.min(2 * this.#made, this.#most))
    this.#name(this.#made, hash)
    return this.#made++
  }

  /** Puts a place at the head of the list of its new class. */
  enter(slot: number, kind: number, uses: number, now: number): void {
    const all = this.#words
    const at = slot * words
    const head = all[kind * words + next]!
    all[at + previous] = kind
    all[at + next] = head
    all[at + lastUse] = now
    all[at + about] = (all[at + about]! & ~aboutBits) | kind | (uses << kindBits)
    all[kind * words + next] = slot
    all[head * words + previous] = slot
  }

  /** Takes a place out of its list. */
  leave(slot: number): void {
    this.#join(this.#words[slot * words + previous]!, this.#words[slot * words + next]!)
  }

  /** Gives a place back that is in no list. */
  free(slot: number): void {
    this.#words[slot * words + next] = this.#free
    this.#free = slot
  }

  /** The number of places, free ones and ends included. */
  get length(): number {
    return this.#hashes.length
  }

  /** The place in the same list used next after that one, or 0. After the end of a list, whose number is the class: the one used longest ago. */
  newer(slot: number): number {
    const found = this.#words[slot * words + previous]!
    return found < classes ? 0 : found
  }

  lastUse(slot: number): number {
    return this.#words[slot * words + lastUse]!
  }

  kind(slot: number): number {
    return this.#words[slot * words + about]! & kindMask
  }

  uses(slot: number): number {
    return (this.#words[slot * words + about]! >> kindBits) & kindMask
  }

  /** The low 24 bits of the hash, which lie beside what a use reads anyway. */
  sample(slot: number): number {
    return this.#words[slot * words + about]! >>> 8
  }

  hash(slot: number): number {
    return this.#hashes[slot]!
  }

  #name(slot: number, hash: number): void {
    this.#hashes[slot] = hash
    this.#words[slot * words + about] = hash << 8
  }

  #join(before: number, after: number): void {
    this.#words[before * words + next] = after
    this.#words[after * words + previous] = before
  }

  #grow(places: number): void {
    const grown = new Int32Array(places * words)
    grown.set(this.#words)
    this.#words = grown
    const hashes = new Int32Array(places)
    hashes.set(this.#hashes)
    this.#hashes = hashes
  }
}
