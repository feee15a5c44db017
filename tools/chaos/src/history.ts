/*
 * The oracle: the history of every value, and what a read may have seen. A write spans from the change of the truth to
 * the acknowledgement of its invalidation; until it ends, anybody may see what was there before. (CacheLib checks its
 * cache this way: Berg et al., "The CacheLib Caching Engine", OSDI 2020.)
 */
import { type Read, type Sighting, Sightings } from './sightings.js'

/** A change of a key: the truth was changed first, and then the cache told. Times in milliseconds on one clock. */
export interface Write {
  readonly key: string
  /** Unique among all keys. */
  readonly value: string
  readonly process: number
  readonly begin: number
  /** When it was acknowledged, or reported as failed. */
  end: number
  /** Whether it was acknowledged: older values may not be seen any more. */
  acknowledged: boolean
  /** The cache's clock ends what was before, and no news are needed: an outage excuses nothing. */
  readonly byClock?: boolean
}

/** A time in which news may not have arrived: at one process, or at all. */
export interface Outage {
  readonly process: number | undefined
  readonly begin: number
  readonly end: number
}

export interface Violation {
  readonly kind:
    'unknown' | 'another key' | 'from the future' | 'stale' | 'expired' | 'older than its own write'
  readonly read: Read
  /** How many reads of this value by this process there were. */
  readonly count: number
  /** By how much, in milliseconds. */
  readonly by: number
  /** The write whose value was read, and the first one that had ended it. */
  readonly write: Write | undefined
  readonly overtakenBy: Write | undefined
}

export interface Verdict {
  readonly reads: number
  readonly writes: number
  readonly violations: readonly Violation[]
  /** The longest that a read outside every outage was behind, in milliseconds: the Δ that would have sufficed. */
  readonly staleness: number
}

/** Gathers what happened, and judges it. */
export class History {
  readonly #writes = new Map<string, Write[]>()
  readonly #sightings = new Sightings()
  readonly #outages: Outage[] = []

  write(write: Write): void {
    const list = this.#writes.get(write.key)
    if (list === undefined) this.#writes.set(write.key, [write])
    else list.push(write)
  }

  read(read: Read): void {
    this.see({ first: read, last: read, count: 1 })
  }

  see(sighting: Sighting): void {
    this.#sightings.add(sighting)
  }

  outage(outage: Outage): void {
    this.#outages.push(outage)
  }

  /** Whether nothing but Δ excuses what a process reads then. */
  isCalm(process: number, at: number): boolean {
    return !this.#outages.some((outage) => concerns(outage, process) && outage.begin < at && at <= outage.end)
  }

  /** What was seen that may not be seen, where another process may be behind by `delta` milliseconds. */
  judge(delta: number): Verdict {
    const violations: Violation[] = []
    let staleness = 0
    let [reads, writes] = [0, 0]
    const byValue = new Map<string, Write>()
    const timelines = new Map<string, Timeline>()
    for (const [key, list] of this.#writes) {
      writes += list.length
      for (const write of list) byValue.set(write.value, write)
      timelines.set(key, new Timeline(list))
    }
    for (const { first, last, count } of this.#sightings) {
      reads += count
      const write = byValue.get(last.value)
      const found = (kind: Violation['kind'], by = 0, overtakenBy?: Write, read = last): void => {
        violations.push({ kind, read, count, by, write, overtakenBy })
      }
      if (write === undefined) found('unknown')
      else if (write.key !== last.key) found('another key')
      else if (write.begin > first.end) found('from the future', write.begin - first.end, undefined, first)
      else {
        const timeline = timelines.get(last.key)!
        const own = timeline.overtaken(write, last.process)
        if (own !== undefined && own.end < last.begin) {
          found('older than its own write', last.begin - own.end, own)
          continue
        }
        const overtakenBy = timeline.overtaken(write)
        const since = overtakenBy?.byClock === true ? last.begin : this.#informedSince(last)
        const behind = since - (overtakenBy?.end ?? Infinity)
        staleness = Math.max(staleness, behind)
        if (behind > delta) found(overtakenBy?.byClock === true ? 'expired' : 'stale', behind, overtakenBy)
      }
    }
    return { reads, writes, violations, staleness }
  }

  /** Up to when the process is sure to have had news: the beginning of the read, or of the outages it fell into. */
  #informedSince({ process, begin }: Read): number {
    let since = begin
    for (let moved = true; moved;) {
      moved = false
      for (const outage of this.#outages) {
        if (concerns(outage, process) && outage.begin < since && since <= outage.end) {
          since = outage.begin
          moved = true
        }
      }
    }
    return since
  }
}

const concerns = (outage: Outage, process: number): boolean =>
  outage.process === undefined || outage.process === process

/** The writes of one key, in the order they began. */
class Timeline {
  readonly #writes: readonly Write[]
  /** For each, which of it and the later ones was acknowledged first: of all, and by process. */
  readonly #first = new Map<number | undefined, (Write | undefined)[]>()

  constructor(writes: readonly Write[]) {
    this.#writes = writes.toSorted((a, b) => a.begin - b.begin)
  }

  /** The first acknowledged write that began after this one had ended: from its end on, this one's value is old. */
  overtaken(write: Write, process?: number): Write | undefined {
    // One that nobody is told of cannot come late: it is over as soon as the next begins.
    const ended = write.byClock === true ? write.begin : write.end
    let low = 0
    let high = this.#writes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#writes[middle]!.begin > ended) high = middle
      else low = middle + 1
    }
    return this.#firstOf(process)[low]
  }

  #firstOf(process: number | undefined): readonly (Write | undefined)[] {
    let first = this.#first.get(process)
    if (first === undefined) {
      first = []
      let best: Write | undefined
      for (let i = this.#writes.length - 1; i >= 0; i--) {
        const write = this.#writes[i]!
        const counts = write.acknowledged && (process === undefined || write.process === process)
        if (counts && (best === undefined || write.end < best.end)) best = write
        first[i] = best
      }
      this.#first.set(process, first)
    }
    return first
  }
}
