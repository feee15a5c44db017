import { CacheError, type Random } from '@flow-cache/core'
import { fill, isWrongAnswer, type Origin } from './filling.js'
import type { WarmOptions, WarmReport } from './options.js'
import { pause } from './pace.js'
import { Place } from './place.js'
import { Tally } from './tally.js'
import { Turns } from './turns.js'
import { untilAborted } from './until-aborted.js'

/** How often and how soon a key is tried again. Durations in milliseconds. */
export interface Retry {
  readonly attempts: number
  readonly delay: number
  readonly maxDelay: number
  readonly random: Random
}

/** A key to warm that is to be fresh for a time of its own, in milliseconds; `undefined`: as long as usual. */
export class Wanted {
  readonly key: string
  readonly ttl: number | undefined

  constructor(key: string, ttl: number | undefined) {
    this.key = key
    this.ttl = ttl
  }
}

/** Keys to warm, by themselves where they are to be fresh for as long as usual. */
export type KeysWanted = Iterable<string | Wanted> | AsyncIterable<string | Wanted>

/** Several keys that are asked for together. */
interface Batch {
  readonly keys: readonly string[]
  readonly ttl: number | undefined
  /** What the origin has given of them in tries that failed: if it is there at last, it was loaded and not skipped. */
  readonly given: Set<string>
}

/**
 * One run through the keys: takes no more of them than it can ask for, so that endless iterables are fine, and goes on
 * whatever becomes of a key. An iterable that fails ends the run with its error.
 */
export async function run(
  origin: Origin,
  wanted: KeysWanted,
  size: number,
  retry: Retry,
  { signal, onProgress, total }: WarmOptions & { readonly signal: AbortSignal },
): Promise<WarmReport> {
  const { pace, clock } = origin
  const most = 2 * pace.concurrency
  const tally = new Tally(clock, total, onProgress)
  const turns = new Turns(clock)
  const running = new Set<Promise<void>>()
  const source = batches(wanted, size, tally)
  try {
    for (;;) {
      await turns.take()
      // An iterable that waits for its next key is not waited for.
      const next = await untilAborted(source.next(), signal)
      if (next === undefined || next.done === true) break
      if (next.value.keys.length === 0) continue
      const place = new Place(pace)
      if (!(await place.take(signal))) break
      const work = settle(origin, next.value, retry, signal, tally, place).finally(() => {
        running.delete(work)
        place.leave()
        tally.tell()
      })
      running.add(work)
      // What the store is slower to take than the origin to give does not pile up.
      while (running.size >= most) await Promise.race(running)
    }
  } finally {
    turns.stop()
    // One that waits for a key ends when it has it.
    source.return(undefined).catch(() => {})
    await Promise.all(running)
    tally.tell(true)
  }
  return tally.report(signal.aborted)
}

/** Brings the keys of a batch in, and tries those that fail again: together, and at last each half by itself. */
async function settle(
  origin: Origin,
  { keys, ttl, given }: Batch,
  retry: Retry,
  signal: AbortSignal,
  tally: Tally,
  place: Place,
): Promise<void> {
  let left = keys
  for (let attempt = 1; ; attempt++) {
    const outcome = await fill(origin, left, signal, ttl, place)
    const { absent, failed } = outcome
    let loaded = outcome.given.length
    // Who aborts does not wait until it is kept. Most tries fail nowhere, and need no look at each key.
    if (!signal.aborted && given.size + failed.size > 0) {
      for (const key of outcome.given) given.add(key)
      loaded = left.filter((key) => given.has(key) && !absent.has(key) && !failed.has(key)).length
    }
    tally.loaded += loaded
    if (signal.aborted) return
    tally.absent += absent.size
    tally.skipped += left.length - loaded - absent.size - failed.size
    if (failed.size === 0) return
    left = [...failed.keys()]
    if (attempt >= retry.attempts || isFinal(failed)) {
      if (left.length === 1 || isFinal(failed)) for (const key of left) tally.fail(key, failed.get(key))
      else await halve(origin, { keys: left, ttl, given }, retry, signal, tally, place)
      return
    }
    const longest = Math.min(retry.maxDelay, retry.delay * 2 ** (attempt - 1))
    if (!(await pause(origin.clock, longest * retry.random(), signal)) || !(await place.take(signal))) return
  }
}

/** One bad key fails all that are asked for with it: asked for apart, the others come. */
async function halve(
  origin: Origin,
  { keys, ttl, given }: Batch,
  retry: Retry,
  signal: AbortSignal,
  tally: Tally,
  place: Place,
): Promise<void> {
  const middle = Math.ceil(keys.length / 2)
  const once = { ...retry, attempts: 1 }
  for (const half of [keys.slice(0, middle), keys.slice(middle)]) {
    if (await place.take(signal)) await settle(origin, { keys: half, ttl, given }, once, signal, tally, place)
  }
}

/** Whether no further try can help: the cache itself refuses. */
function isFinal(failed: ReadonlyMap<string, unknown>): boolean {
  const [error] = failed.values()
  return isWrongAnswer(error) || (error instanceof CacheError && error.code === 'ERR_CLOSED')
}

/** The keys in batches, each with the earliest end of its keys. An empty key fails by itself. */
async function* batches(wanted: KeysWanted, size: number, tally: Tally): AsyncGenerator<Batch, undefined> {
  const keys = new Set<string>()
  let taken = 0
  let ttl: number | undefined
  /** Tells whether the batch is full. One that is given the same key again and again is full as well. */
  const add = (one: string | Wanted): boolean => {
    const key = one instanceof Wanted ? one.key : one
    if (typeof key !== 'string') throw new TypeError(`a key must be a non-empty string, got ${typeof key}`)
    if (key === '') tally.fail(key, new TypeError("a key must be a non-empty string, got ''"))
    else keys.add(key)
    if (one instanceof Wanted && one.ttl !== undefined) ttl = Math.min(ttl ?? Infinity, one.ttl)
    return ++taken >= size
  }
  const batch = (): Batch => {
    const full = { keys: [...keys], ttl, given: new Set<string>() }
    keys.clear()
    taken = 0
    ttl = undefined
    return full
  }
  // Waiting for each key of what is there already would take longer than all the rest.
  if (Symbol.asyncIterator in wanted) {
    for await (const one of wanted) if (add(one)) yield batch()
  } else for (const one of wanted) if (add(one)) yield batch()
  if (keys.size > 0) yield batch()
  return undefined
}
