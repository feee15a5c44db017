import type { Trace } from './trace.js'

const never = 2 ** 31 - 1

/**
 * How many requests are hits if the future is known: what is needed last goes, or is not kept at all (Belady, "A study
 * of replacement algorithms for a virtual-storage computer", 1966). No policy can have more.
 */
export function beladyHits({ ids, unique }: Trace, size: number): number {
  const next = nextUses(ids, unique)
  // By when the key is needed next. An instant belongs to one key, so it is enough to hold it.
  const heap = new LatestFirst()
  const neededAt = new Int32Array(unique).fill(-1)
  let held = 0
  let hits = 0
  for (const [i, id] of ids.entries()) {
    const again = next[i]!
    if (neededAt[id] === i) {
      hits++
      held--
    }
    neededAt[id] = -1
    if (again === never) continue
    if (held === size) {
      while (neededAt[ids[heap.latest]!] !== heap.latest) heap.pop()
      if (heap.latest <= again) continue
      neededAt[ids[heap.pop()]!] = -1
      held--
    }
    neededAt[id] = again
    heap.push(again)
    held++
  }
  return hits
}

function nextUses(ids: Uint32Array, unique: number): Int32Array {
  const next = new Int32Array(ids.length)
  const last = new Int32Array(unique).fill(never)
  for (let i = ids.length - 1; i >= 0; i--) {
    next[i] = last[ids[i]!]!
    last[ids[i]!] = i
  }
  return next
}

/** A binary heap of numbers, the greatest at the top. */
class LatestFirst {
  readonly #all: number[] = []

  get latest(): number {
    return this.#all[0]!
  }

  push(one: number): void {
    const all = this.#all
    let at = all.push(one) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (all[parent]! >= one) break
      all[at] = all[parent]!
      at = parent
    }
    all[at] = one
  }

  pop(): number {
    const all = this.#all
    const top = all[0]!
    const last = all.pop()!
    if (all.length === 0) return top
    let at = 0
    for (let child = 1; child < all.length; child = 2 * at + 1) {
      if (child + 1 < all.length && all[child + 1]! > all[child]!) child++
      if (all[child]! <= last) break
      all[at] = all[child]!
      at = child
    }
    all[at] = last
    return top
  }
}
