import { processStart } from './clock.js'

/** The version of a tag that an entry was made under. The entry counts only while it is the tag's version still. */
export interface TagVersion {
  /** The tag's full name, namespace included. */
  readonly name: string
  readonly version: string
  /**
   * What this process last heard of it.
   *
   * - `true`: still the tag's version.
   * - `false`: no longer known to be; the cache asks again before it trusts the entry. A store in
   *   this process may drop such an entry to give its space back.
   * - absent (an entry that was decoded from bytes): not yet known.
   */
  readonly alive?: boolean
}

/**
 * A value and the instants that rule its life, in milliseconds since the epoch.
 *
 * Fresh before `staleAt`, stale from then on, gone from `expiresAt`. A store keeps it whole, compares
 * `expiresAt` with its clock, and knows nothing else of it.
 */
export interface Entry<V = unknown> {
  readonly value: V
  readonly createdAt: number
  /** The entry is fresh before this instant. */
  readonly staleAt: number
  /** The entry may not be seen from this instant on. Never before `staleAt`; `Infinity` for never. */
  readonly expiresAt: number
  /** What loading it took, in whole milliseconds: of a load of several keys, its share. `0` for a value that was set. */
  readonly loadMs: number
  /**
   * The tag versions it depends on, or `undefined` for none. The array belongs to the cache, which may
   * replace an element by one of the same name and version; a store in this process keeps the array as it is.
   */
  readonly tags: readonly TagVersion[] | undefined
  /** The version of the value's layout, or `undefined` if none was given. */
  readonly version: number | string | undefined
  /** Which of the store's tiers answered, from 0. Not kept: a store says it of an entry it hands out, one with one tier 0. */
  readonly tier: number
}

/** Where an entry stands in its life. */
export type Freshness = 'fresh' | 'stale' | 'expired'

/** Where an entry stands in its life at `now`. */
export function freshness(entry: Pick<Entry, 'staleAt' | 'expiresAt'>, now: number): Freshness {
  if (now < entry.staleAt) return 'fresh'
  return now < entry.expiresAt ? 'stale' : 'expired'
}

/** How long after its `ttl` the entry may still be served, in milliseconds. */
export function graceOf(entry: Entry): number {
  if (entry instanceof CompactEntry) return entry.details.grace
  // An entry that is fresh for ever has no later instant to tell it by.
  return entry.staleAt === Infinity ? 0 : entry.expiresAt - entry.staleAt
}

/** What {@link createEntry} needs; what is left out is `0` or `undefined`. */
export interface EntryFields<V> {
  readonly value: V
  readonly createdAt: number
  /** How long it is fresh, in milliseconds from `createdAt`. */
  readonly ttl: number
  /** How long after that it may still be served, in milliseconds. */
  readonly grace?: number
  readonly loadMs?: number
  readonly tags?: readonly TagVersion[] | undefined
  readonly version?: number | string | undefined
  readonly tier?: number
}

/** Makes an entry in the compact form that costs memory stores the least. */
export function createEntry<V>(fields: EntryFields<V>): Entry<V> {
  const { value, createdAt, ttl, grace = 0, loadMs = 0, tags, version, tier = 0 } = fields
  return entryOf(value, createdAt, ttl, grace, loadMs, tags, version, tier)
}

/** The same, without an object for what it is made of. */
export function entryOf<V>(
  value: V,
  createdAt: number,
  ttl: number,
  grace: number,
  loadMs: number,
  tags: readonly TagVersion[] | undefined,
  version: number | string | undefined,
  tier: number,
): Entry<V> {
  let details = shared[tier]
  if (details === undefined || !isOf(details, grace, tags, version)) {
    details = tier === 0 && isOf(plain, grace, tags, version) ? plain : { grace, tags, version, tier }
    shared[tier] = details
  }
  return new CompactEntry(value, createdAt, ttl, loadMs, details)
}

/** The details of most entries. */
const plain: EntryDetails = { grace: 0, tags: undefined, version: undefined, tier: 0 }

/** The details of the entry before, of each tier: most entries of a cache have the same, and share them. */
const shared: EntryDetails[] = [plain]

function isOf(
  details: EntryDetails,
  grace: number,
  tags: readonly TagVersion[] | undefined,
  version: number | string | undefined,
): boolean {
  return (
    details.grace === grace &&
    details.version === version &&
    (details.tags === tags ||
      (details.tags?.length === tags?.length && details.tags!.every((tag, i) => tag === tags![i])))
  )
}

/** What many entries have in common. */
interface EntryDetails {
  readonly grace: number
  readonly tags: readonly TagVersion[] | undefined
  readonly version: number | string | undefined
  readonly tier: number
}

/**
 * An entry of five words. Instants would be boxed doubles to the engine, of two words more each; small integers are
 * not. So it keeps one instant, in whole milliseconds since the process began, and two durations. (Past 24 days the
 * engine boxes that one again.)
 */
class CompactEntry<V> implements Entry<V> {
  readonly value: V
  /** Whole milliseconds from `processStart`, rounded up: nothing ends early. */
  readonly bornAt: number
  readonly ttl: number
  readonly loadMs: number
  readonly details: EntryDetails

  constructor(value: V, createdAt: number, ttl: number, loadMs: number, details: EntryDetails) {
    this.value = value
    this.bornAt = Math.ceil(createdAt - processStart)
    this.ttl = ttl
    this.loadMs = loadMs
    this.details = details
  }

  get createdAt(): number {
    return processStart + this.bornAt
  }

  get staleAt(): number {
    return processStart + this.bornAt + this.ttl
  }

  get expiresAt(): number {
    return this.staleAt + this.details.grace
  }

  get tags(): readonly TagVersion[] | undefined {
    return this.details.tags
  }

  get version(): number | string | undefined {
    return this.details.version
  }

  get tier(): number {
    return this.details.tier
  }
}
