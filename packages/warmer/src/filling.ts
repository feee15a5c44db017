import type { Cache, Clock, GetOrSetOptions, Loader, LoadMany } from '@flow-cache/core'
import type { Pace } from './pace.js'
import type { Place } from './place.js'

/** How the origin is asked, and how its values are kept. */
export interface Origin {
  readonly cache: Cache
  readonly load: Loader<unknown> | undefined
  readonly loadMany: LoadMany<unknown> | undefined
  readonly options: GetOrSetOptions
  readonly pace: Pace
  readonly clock: Clock
}

/** What became of the keys of one try. What is in none of them was there, or somebody else loaded it. */
export interface Outcome {
  readonly loaded: number
  readonly absent: number
  readonly failed: ReadonlyMap<string, unknown>
}

/** Asks the cache for the keys, so that it loads what is missing. `ttl`: how long they are fresh, if not as usual. */
export function fill(
  origin: Origin,
  keys: readonly string[],
  signal: AbortSignal,
  ttl: number | undefined,
  place: Place,
): Promise<Outcome> {
  return origin.loadMany === undefined
    ? fillOne(origin, origin.load!, keys[0]!, signal, ttl, place)
    : fillMany(origin, origin.loadMany, keys, signal, ttl, place)
}

async function fillOne(
  { cache, options, pace, clock }: Origin,
  load: Loader<unknown>,
  key: string,
  signal: AbortSignal,
  ttl: number | undefined,
  place: Place,
): Promise<Outcome> {
  let loaded = 0
  const failed = new Map<string, unknown>()
  const loader: Loader<unknown> = async (context) => {
    if (!(await pace.turn(1, context.signal))) throw context.signal.reason
    if (ttl !== undefined) context.options.ttl = ttl
    const startedAt = clock.now()
    try {
      const value = await load(context)
      pace.saw(startedAt, true)
      loaded++
      return value
    } catch (error) {
      pace.saw(startedAt, false)
      // A stale value may stand in for it, and be no failure to the one who asked.
      failed.set(key, error)
      throw error
    } finally {
      place.leave()
    }
  }
  try {
    await cache.getOrSet(key, loader, { ...options, signal })
  } catch (error) {
    failed.set(key, error)
  }
  return { loaded, absent: 0, failed }
}

async function fillMany(
  { cache, options, pace, clock }: Origin,
  loadMany: LoadMany<unknown>,
  keys: readonly string[],
  signal: AbortSignal,
  ttl: number | undefined,
  place: Place,
): Promise<Outcome> {
  let loaded = 0
  let absent = 0
  const failed = new Map<string, unknown>()
  const loader: LoadMany<unknown> = async (missing, context) => {
    if (!(await pace.turn(missing.length, context.signal))) throw context.signal.reason
    if (ttl !== undefined) context.options.ttl = ttl
    const startedAt = clock.now()
    try {
      const values = await loadMany(missing, context)
      pace.saw(startedAt, true)
      const found = values instanceof Map ? missing.filter((key) => values.has(key)).length : missing.length
      loaded += found
      absent += missing.length - found
      return values
    } catch (error) {
      pace.saw(startedAt, false)
      for (const key of missing) failed.set(key, error)
      throw error
    } finally {
      place.leave()
    }
  }
  try {
    await cache.getOrSetMany(keys, loader, { ...options, signal })
  } catch (error) {
    // Not a load of ours: a closed cache, a wrong answer, somebody else's load.
    if (failed.size === 0) for (const key of keys) failed.set(key, error)
  }
  return { loaded, absent, failed }
}
