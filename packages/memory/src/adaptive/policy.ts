import type { Random } from '@flow-cache/core'
import type { Bounded } from '../bounded.js'
import { type Bounds, mostEntries } from '../options.js'
import { classes, classOf, isLong, mostUses } from './classes.js'
import { Densities } from './densities.js'
import { Ghosts } from './ghosts.js'
import { hashOf } from './hash.js'
import { Rival } from './rival.js'
import { Slots } from './slots.js'

/*
 * Which entry goes? The one that promises the fewest hits for the room and the time it takes: its hit density, after
 * Beckmann, Chen and Cidon, "LHD: Improving Cache Hit Rate by Maximizing Hit Density", NSDI 2018.
 *
 * - Nothing is assumed about the requests, it is learned. Entries of a class, by how often they were used and whether
 *   the last pause was long (classes.ts), are taken to be alike. For each class it is counted at which age its entries
 *   were used again (densities.ts), age being requests since the last use. A scan fills a class whose entries
 *   are never used again; a burst one whose entries are used soon or not at all; a loop one whose entries come back at
 *   one age. What was learned long ago counts ever less.
 * - LHD draws a sample and evicts the worst in it. Here each class is a list in order of use (slots.ts), and only its
 *   oldest entry is a candidate: nine to compare, and none is drawn. The entry that came last is the tenth: if nothing of
 *   its class is ever used again, it goes at once and a loop keeps what it has. One whose size would push several out is
 *   a candidate from the second on: else it would empty the store, and be the next to go.
 * - What is not held can have no hits, so nothing would be learned of it. Ghosts (ghosts.ts) remember when a key was used
 *   last and its class: a key that comes back counts as used again at that age, and goes on where it was.
 * - What is learned may be wrong tomorrow. A small exact LRU over a sample of the keys plays along (rival.ts), as in the
 *   set duelling of Qureshi et al., "Adaptive Insertion Policies for High Performance Caching", ISCA 2007. While it does
 *   better, the entry used longest ago goes. This bounds how far it falls behind LRU, whatever is asked for.
 * - Keys are told apart by a hash that differs from process to process (hash.ts), so nobody outside can choose what is
 *   sampled, or whose ghosts collide.
 *
 * One file, because what follows is one state: every function changes the entries, their lists and the clock together.
 * What can stand alone does, in the files above. The figures are in docs/decisions/0013, 0017 and 0024.
 */

/** How many keys are remembered after they went, for each entry. */
const ghostsEach = 4

/** What {@link adaptiveOf} takes. */
export interface Adaptive<V> {
  readonly bounds: Bounds
  readonly random: Random
  /** Told what is dropped for want of room, in the middle of it: it may not call back. */
  readonly onEvict: (value: V, key: string) => void
  /** Whether a value counts no more: to find it is no hit. */
  readonly isDead: (value: V) => boolean
  /** The instant from which a value counts no more. */
  readonly endsAt: (value: V) => number
  readonly now: () => number
}

/** Entries of which, when room is needed, the one goes that promises the fewest hits for the room it takes. */
export function adaptiveOf<V extends object>(settings: Adaptive<V>): Bounded<V> {
  const { bounds, onEvict, isDead, endsAt } = settings
  const { maxBytes } = bounds
  const maxEntries = Math.min(bounds.maxEntries, mostEntries)
  const hash = hashOf(settings.random)
  const slotOf = new Map<string, number>()
  const isWeighed = maxBytes !== Infinity
  let rival!: Rival
  let slots!: Slots
  let ghosts!: Ghosts
  let densities!: Densities
  // By slot. The ends of the lists have none, and sizes are there only where bytes are counted.
  let keys!: (string | undefined)[]
  let values!: (V | undefined)[]
  let sizes!: number[]
  let bytes!: number
  /** Requests so far, in 32 bits; differences are right across the edge. */
  let now = 0
  /** How many entries there is room for, as far as that is known. */
  let scale!: number
  /** The request at which densities were brought up to date. */
  let refreshedAt!: number
  let untilFade!: number
  /** The slot filled last: not at the tail of its list, and yet it may be the one to go. 0 for none. */
  let latest!: number
  reset()

  function reset(): void {
    slots = new Slots(maxEntries)
    ghosts = new Ghosts()
    densities = new Densities()
    rival = new Rival(bounds, settings.now)
    keys = []
    values = []
    sizes = []
    grow()
    bytes = 0
    latest = 0
    scale = isWeighed ? 64 : maxEntries
    refreshedAt = now
    untilFade = 0
  }

  /** Has a place in the arrays for each slot, and no more: appending would make room for half as many again. */
  function grow(): void {
    keys = longer(keys, slots.length)
    values = longer(values, slots.length)
    if (isWeighed) sizes = longer(sizes, slots.length, 0)
  }

  function sizeAt(slot: number): number {
    return isWeighed ? sizes[slot]! : 1
  }

  function weigh(slot: number, size: number): void {
    if (!isWeighed) return
    bytes += size - sizes[slot]!
    sizes[slot] = size
  }

  function tick(): void {
    now = (now + 1) | 0
    if (--untilFade > 0) return
    densities.fade()
    untilFade = Math.max(4_000, 8 * scale)
  }

  /** `anew`: after a value that had died. Nothing was to be had of that, and LRU had nothing either. */
  function use(slot: number, anew: boolean): void {
    tick()
    const kind = slots.kind(slot)
    const uses = slots.uses(slot)
    slots.leave(slot)
    if (anew) {
      enter(slot, kind, uses)
      rival.forget(slots.hash(slot))
    } else renew(slot, kind, uses, (now - slots.lastUse(slot)) >>> 0)
    tell(slot, !anew)
  }

  /** Tells the rival of a request for a key that was `held` or was not. */
  function tell(slot: number, held: boolean): void {
    const size = sizeAt(slot)
    const value = values[slot]!
    // A value that has died is no hit.
    if (rival.watches(slots.sample(slot), size) && !isDead(value))
      rival.note(slots.hash(slot), held, size, endsAt(value))
  }

  /** Puts a slot, in no list, where it belongs after this use. */
  function renew(slot: number, kind: number, uses: number, pause: number): void {
    densities.used(kind, pause)
    // Uses right after one another are one.
    const counted = uses < mostUses && pause >= 2 + (scale >> 6) ? uses + 1 : uses
    enter(slot, classOf(counted, pause >= scale), counted)
  }

  function enter(slot: number, kind: number, uses: number): void {
    densities.entered(kind)
    slots.enter(slot, kind, uses, now)
  }

  function add(key: string, value: V, size: number): void {
    tick()
    const id = hash(key)
    const about = ghosts.take(id, now)
    if (lacksRoom(1, size)) evict(0)
    if (isWeighed) scale = Math.max(64, slotOf.size)
    const slot = slots.take(id)
    if (slot >= keys.length) grow()
    if (about === 0) enter(slot, 0, 1)
    else renew(slot, classOf(about >> 1, (about & 1) === 1), about >> 1, ghosts.age)
    slotOf.set(key, slot)
    keys[slot] = key
    values[slot] = value
    weigh(slot, size)
    latest = slot
    tell(slot, false)
    // From here on it may be the one to go itself.
    while (lacksRoom(0, 0)) evict(0)
  }

  /** Whether something has to go before so many more entries and bytes can come. */
  function lacksRoom(entries: number, size: number): boolean {
    return slotOf.size + entries > maxEntries || bytes + size > maxBytes
  }

  function replace(slot: number, value: V, size: number): void {
    weigh(slot, size)
    const wasDead = isDead(values[slot]!)
    values[slot] = value
    use(slot, wasDead)
    while (lacksRoom(0, 0)) evict(slot)
  }

  /** Drops the least promising entry, or the one used longest ago while LRU leads, but not that in the slot `spared`. */
  function evict(spared: number): void {
    const slot = poorest(spared)
    const key = keys[slot]!
    const value = values[slot]!
    remove(slot, key)
    onEvict(value, key)
  }

  /** Of entries that promise the same, it is the one used longest ago. While LRU leads, all count as such. */
  function poorest(spared: number): number {
    const alike = rival.leads
    if (!alike) refresh()
    let found = 0
    let least = Infinity
    let greatest = -1
    for (let kind = 0; kind < classes; kind++) {
      const slot = tail(kind, spared)
      if (slot === 0) continue
      const age = (now - slots.lastUse(slot)) >>> 0
      const worth = alike ? 0 : densities.of(kind, age) / sizeAt(slot)
      if (worth > least || (worth === least && age <= greatest)) continue
      found = slot
      least = worth
      greatest = age
    }
    if (alike || latest === 0 || latest === spared) return found
    const age = (now - slots.lastUse(latest)) >>> 0
    return densities.of(slots.kind(latest), age) / sizeAt(latest) < least ? latest : found
  }

  /** Brings densities up to date from time to time: only who evicts asks for them, and hits do not pay for it. */
  function refresh(): void {
    if ((now - refreshedAt) >>> 0 < Math.max(500, scale >> 2)) return
    densities.refresh()
    refreshedAt = now
  }

  /** The slot of a class used longest ago, or 0. */
  function tail(kind: number, spared: number): number {
    const slot = slots.newer(kind)
    return slot === spared && slot !== 0 ? slots.newer(slot) : slot
  }

  /** Frees a slot. Its key is remembered. */
  function remove(slot: number, key: string): void {
    ghosts.reserve(ghostsEach * Math.min(maxEntries, slots.length))
    const about = (slots.uses(slot) << 1) | (isLong(slots.kind(slot)) ? 1 : 0)
    ghosts.put(slots.hash(slot), about, slots.lastUse(slot))
    slots.leave(slot)
    slots.free(slot)
    slotOf.delete(key)
    keys[slot] = undefined
    values[slot] = undefined
    weigh(slot, 0)
    if (slot === latest) latest = 0
  }

  return {
    keys: slotOf,
    get(key) {
      const slot = slotOf.get(key)
      if (slot === undefined) return undefined
      use(slot, false)
      return values[slot]
    },
    peek(key) {
      const slot = slotOf.get(key)
      return slot === undefined ? undefined : values[slot]
    },
    set(key, value, size) {
      const slot = slotOf.get(key)
      if (slot === undefined) add(key, value, size)
      else replace(slot, value, size)
    },
    drop(key) {
      const slot = slotOf.get(key)
      if (slot === undefined) return false
      rival.forget(slots.hash(slot))
      remove(slot, key)
      return true
    },
    clear() {
      slotOf.clear()
      reset()
    },
  }
}

/** A copy of the list that is as long as that. */
function longer<T>(list: readonly T[], length: number, filler?: T): T[] {
  return list.concat(Array<T>(length - list.length).fill(filler!))
}
