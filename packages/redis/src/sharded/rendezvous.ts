/**
 * Which of several names has a key: rendezvous hashing, also called highest random weight. Every name gets a score
 * with the key, and the highest wins. A name that comes takes its share from all others and moves nothing between
 * them; one that goes leaves its keys to all. (Thaler and Ravishankar, IEEE/ACM Transactions on Networking 6(1), 1998.)
 *
 * The score is MurmurHash3's finalizer of the two FNV-1a hashes of key and name, exclusive-ored. This never changes:
 * every process has to find the key in the same place.
 */
export class Rendezvous {
  readonly #hashes: readonly number[]

  constructor(names: readonly string[]) {
    this.#hashes = names.map(fnv1a)
  }

  /** The index of the name that has the key. */
  indexOf(key: string): number {
    const hash = fnv1a(key)
    let winner = 0
    let highest = -1
    for (let i = 0; i < this.#hashes.length; i++) {
      const score = mixed(hash ^ this.#hashes[i]!)
      if (score > highest) {
        highest = score
        winner = i
      }
    }
    return winner
  }
}

/** FNV-1a of 32 bits over the text as UTF-16LE: of each code unit the low byte, then the high one. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return hash >>> 0
}

/** One to one: two names with different hashes never tie. */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
