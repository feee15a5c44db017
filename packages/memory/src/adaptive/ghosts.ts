/** How many places a key can have. */
const ways = 8

/** What was known of a key when it went: 8 bits, not 0. */
const aboutBits = 0xff

/**
 * What is remembered of keys that are no longer held: 8 bits of knowledge and when they were last used, in 8 bytes a key.
 * A key has eight places by its hash, the one that went last first; when they are taken, the last of them is forgotten. Keys are known by
 * 24 bits of their hash besides.
 */
export class Ghosts {
  #table = new Int32Array(0)
  #buckets = 0
  /** When the ghost taken last was last used. */
  lastUse = 0

  /** Makes room for about so many keys. If there was less, all are forgotten. */
  reserve(keys: number): void {
    const buckets = Math.ceil(keys / ways)
    if (buckets <= this.#buckets) return
    this.#buckets = buckets
    this.#table = new Int32Array(buckets * ways * 2)
  }

  /** What is known of the key, which is forgotten with that; 0 if nothing is. `lastUse` belongs to it. */
  take(hash: number): number {
    if (this.#buckets === 0) return 0
    const table = this.#table
    const tag = hash << 8
    const first = this.#first(hash)
    for (let at = first; at < first + 2 * ways; at += 2) {
      const word = table[at]!
      if (word !== 0 && (word & ~aboutBits) === tag) {
        table[at] = 0
        this.lastUse = table[at + 1]!
        return word & aboutBits
      }
    }
    return 0
  }

  /** Remembers a key. */
  put(hash: number, about: number, lastUse: number): void {
    const table = this.#table
    const first = this.#first(hash)
    let at = first
    while (table[at] !== 0 && at < first + 2 * (ways - 1)) at += 2
    // So few that `copyWithin` costs more than a loop.
    for (; at > first; at -= 2) {
      table[at] = table[at - 2]!
      table[at + 1] = table[at - 1]!
    }
    table[first] = (hash << 8) | about
    table[first + 1] = lastUse
  }

  clear(): void {
    this.#table.fill(0)
  }

  /** Where the places of a hash begin. High bits choose, the low 24 tell keys apart. */
  #first(hash: number): number {
    return Math.floor(((hash >>> 0) * this.#buckets) / 2 ** 32) * ways * 2
  }
}
