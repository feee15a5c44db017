/** What was counted, of one namespace or of several together. Every read is one of the first three. */
export interface Counts {
  /** Reads with a fresh answer from the store. */
  readonly hits: number
  /** Reads with a stale one, because the load failed, was slow or was held off. */
  readonly staleHits: number
  /** Reads with none from the store, whatever became of the load. */
  readonly misses: number
  /** Those of the misses and the stale hits that joined a load under way. */
  readonly coalesced: number
  /** Loads that have ended: answers, keys the origin does not have, and failures. */
  readonly loads: number
  /** Those of them that failed. */
  readonly loadErrors: number
  /** Those of them that `loadMany` had no value for. */
  readonly absent: number
  /** Those of them that nobody was waiting for when they began. */
  readonly background: number
  /** Values that were loaded and not kept, because key or tags changed meanwhile. */
  readonly fenced: number
  /** Keys that somebody set. */
  readonly sets: number
  /** Keys that somebody deleted. */
  readonly deletes: number
  /** Keys that somebody made stale. */
  readonly expires: number
  /** Entries that the store dropped for want of room. */
  readonly evictions: number
  /** Entries that could not be used, and were misses. */
  readonly poisoned: number
  /** What loading the answers of hits had taken, in milliseconds: the time that hits have saved. */
  readonly savedMs: number
}

export type CountName = keyof Counts

/** Counts that count. */
export type Counting = { -readonly [Name in CountName]: number }

export function zero(): Counting {
  return {
    hits: 0,
    staleHits: 0,
    misses: 0,
    coalesced: 0,
    loads: 0,
    loadErrors: 0,
    absent: 0,
    background: 0,
    fenced: 0,
    sets: 0,
    deletes: 0,
    expires: 0,
    evictions: 0,
    poisoned: 0,
    savedMs: 0,
  }
}

const countNames: readonly CountName[] = Object.freeze(Object.keys(zero()) as CountName[])

/** All of them together. */
export function sum(all: Iterable<Counts>): Counts {
  const total = zero()
  for (const counts of all) for (const name of countNames) total[name] += counts[name]
  return total
}

/** Counts, and what follows from them. */
export interface Totals extends Counts {
  /** `hits + staleHits + misses`. */
  readonly reads: number
  /** `hits / reads`; 0 before the first read. */
  readonly hitRatio: number
  /**
   * `hitRatio × (1 − evictions / entries kept)`, from 0 to 1: low where the cache answers little, and where it has to
   * throw out what it keeps. Entries kept are sets and loads with an answer that was not fenced.
   */
  readonly efficiency: number
  /** Loads that were not needed: `hits + coalesced`. */
  readonly loadsAvoided: number
}

export function totalsOf(counts: Counts): Totals {
  const { hits, staleHits, misses, coalesced, loads, loadErrors, absent, fenced, sets, evictions } = counts
  const reads = hits + staleHits + misses
  const hitRatio = reads === 0 ? 0 : hits / reads
  const kept = sets + loads - loadErrors - absent - fenced
  const thrownOut = kept <= 0 ? 0 : Math.min(1, evictions / kept)
  return {
    ...counts,
    reads,
    hitRatio,
    efficiency: hitRatio * (1 - thrownOut),
    loadsAvoided: hits + coalesced,
  }
}
