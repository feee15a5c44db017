import { CacheError, type Random } from '@flow-cache/core'
import { fill, type Origin } from './filling.js'
import type { WarmOptions, WarmReport } from './options.js'
import { pause } from './pace.js'
import { Tally } from './tally.js'

/** How often and how soon a key is tried again. Durations in milliseconds. */
export interface Retry {
  readonly attempts: number
  readonly delay: number
  readonly maxDelay: number
  readonly random: Random
}

/** A key to warm. `ttl`: how long it is to be fresh, in milliseconds, if not as usual. */
export interface Wanted {
  readonly key: string
  readonly ttl?: number
}

/** Several keys that are asked for together. */
interface Batch {
  readonly keys: readonly string[]
  readonly ttl: number | undefined
}

/**
 * One run through the keys: takes no more of them than it can ask for, so that endless iterables are fine, and goes on
 * whatever becomes of a key. An iterable that fails ends the run with its error.
 */
export async function run(
  origin: Origin,
  wanted: Iterable<Wanted> | AsyncIterable<Wanted>,
  size: number,
  retry: Retry,
  { signal, onProgress, total }: WarmOptions & { readonly signal: AbortSignal },
): Promise<WarmReport> {
  const { pace, clock } = origin
  const tally = new Tally(clock, total, onProgress)
  const running = new Set<Promise<void>>()
  try {
    for await (const batch of batches(wanted, size)) {
      await pace.enter()
      if (signal.aborted) {
        pace.leave()
        break
      }
      const work = settle(origin, batch, retry, signal, tally).finally(() => {
        running.delete(work)
        pace.leave()
        tally.tell()
      })
      running.add(work)
    }
  } finally {
    await Promise.all(running)
    tally.tell(true)
  }
  return tally.report(signal.aborted)
}

/** Brings the keys of a batch in, and tries those that fail again: together, and at last each half by itself. */
async function settle(
  origin: Origin,
  { keys, ttl }: Batch,
  retry: Retry,
  signal: AbortSignal,
  tally: Tally,
): Promise<void> {
  let left = keys
  for (let attempt = 1; ; attempt++) {
    const { loaded, absent, failed } = await fill(origin, left, signal, ttl)
    if (signal.aborted) {
      tally.loaded += loaded
      return
    }
    tally.loaded += loaded
    tally.absent += absent
    tally.skipped += left.length - loaded - absent - failed.size
    if (failed.size === 0) return
    left = [...failed.keys()]
    if (attempt >= retry.attempts || isFinal(failed)) {
      if (left.length === 1 || isFinal(failed)) for (const key of left) tally.fail(key, failed.get(key))
      else await halve(origin, { keys: left, ttl }, retry, signal, tally)
      return
    }
    const longest = Math.min(retry.maxDelay, retry.delay * 2 ** (attempt - 1))
    if (!(await pause(origin.clock, longest * retry.random(), signal))) return
  }
}

/** One bad key fails all that are asked for with it: asked for apart, the others come. */
async function halve(
  origin: Origin,
  { keys, ttl }: Batch,
  retry: Retry,
  signal: AbortSignal,
  tally: Tally,
): Promise<void> {
  const middle = Math.ceil(keys.length / 2)
  const once = { ...retry, attempts: 1 }
  for (const half of [keys.slice(0, middle), keys.slice(middle)]) {
    if (!signal.aborted) await settle(origin, { keys: half, ttl }, once, signal, tally)
  }
}

/** Whether no further try can help: the cache itself refuses. */
function isFinal(failed: ReadonlyMap<string, unknown>): boolean {
  const [error] = failed.values()
  return error instanceof CacheError && (error.code === 'ERR_CLOSED' || error.code === 'ERR_LOADER_RESULT')
}

/** The keys in batches, each with the earliest end of its keys. */
async function* batches(
  wanted: Iterable<Wanted> | AsyncIterable<Wanted>,
  size: number,
): AsyncGenerator<Batch> {
  let keys = new Set<string>()
  let ttl: number | undefined
  for await (const one of wanted) {
    keys.add(one.key)
    if (one.ttl !== undefined) ttl = Math.min(ttl ?? Infinity, one.ttl)
    if (keys.size < size) continue
    yield { keys: [...keys], ttl }
    keys = new Set()
    ttl = undefined
  }
  if (keys.size > 0) yield { keys: [...keys], ttl }
}
