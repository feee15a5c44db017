/** How many places a key can have. */
const ways = 8

/** The bits of a word: when it was last used, what was known of it (never 0), and of its hash what tells it apart. */
const timeBits = 15
const aboutBits = 5
const timeMask = (1 << timeBits) - 1
const aboutMask = (1 << aboutBits) - 1
const known = timeBits + aboutBits

/**
 * What is remembered of keys that are no longer held: 5 bits of knowledge and about when they were last used, in 4 bytes a key.
 * A key has eight places by its hash, the one that went last first; when they are taken, the last of them is forgotten. Keys are
 * known by 12 bits of their hash besides: of 500 keys that are new, one is taken for another that went.
 */
export class Ghosts {
  #table = new Int32Array(0)
  #buckets = 0
  /** An instant is kept in steps of 2 to this many requests: 2¹⁵ of them are long after most keys are forgotten. */
  #coarseness = 0
  /** How long before `now` the ghost taken last was last used, in requests. */
  age = 0

  /** Makes room for about so many keys. If there was less, all are forgotten. */
  reserve(keys: number): void {
    const buckets = Math.ceil(keys / ways)
    if (buckets <= this.#buckets) return
    this.#buckets = buckets
    this.#coarseness = Math.max(0, 22 - Math.clz32(keys))
    this.#table = new Int32Array(buckets * ways)
  }

  /** What is known of the key, which is forgotten with that; 0 if nothing is. `age` belongs to it. */
  take(hash: number, now: number): number {
    if (this.#buckets === 0) return 0
    const table = this.#table
    const first = this.#first(hash)
    for (let at = first; at < first + ways; at++) {
      const word = table[at]!
      if (word !== 0 && (word ^ (hash << known)) >>> known === 0) {
        table[at] = 0
        this.age = (((now >>> this.#coarseness) - word) & timeMask) << this.#coarseness
        return (word >>> timeBits) & aboutMask
      }
    }
    return 0
  }

  /** Remembers a key. */
  put(hash: number, about: number, lastUse: number): void {
    const table = this.#table
    const first = this.#first(hash)
    let at = first
    while (table[at] !== 0 && at < first + ways - 1) at++
    // So few that `copyWithin` costs more than a loop.
    for (; at > first; at--) table[at] = table[at - 1]!
    table[first] = (hash << known) | (about << timeBits) | ((lastUse >>> this.#coarseness) & timeMask)
  }

  /** Where the places of a hash begin. High bits choose, the low 12 tell keys apart. */
  #first(hash: number): number {
    return Math.floor(((hash >>> 0) * this.#buckets) / 2 ** 32) * ways
  }
}
