import {
  type Cache,
  CacheError,
  type Clock,
  type GetOrSetOptions,
  type Loader,
  type LoadMany,
} from '@flow-cache/core'
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
  /** What the origin gave. Some of it has failed all the same, if it could not be kept. */
  readonly given: readonly string[]
  readonly absent: ReadonlySet<string>
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
  const given: string[] = []
  const failed = new Map<string, unknown>()
  const loader: Loader<unknown> = async (context) => {
    if (!(await pace.turn(1, context.signal))) throw context.signal.reason
    if (ttl !== undefined) context.options.ttl = ttl
    const startedAt = clock.now()
    try {
      const value = await load(context)
      pace.saw(startedAt, true)
      given.push(key)
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
  return { given, absent: none, failed }
}

async function fillMany(
  { cache, options, pace, clock }: Origin,
  loadMany: LoadMany<unknown>,
  keys: readonly string[],
  signal: AbortSignal,
  ttl: number | undefined,
  place: Place,
): Promise<Outcome> {
  const asked: string[] = []
  const given: string[] = []
  const absent = new Set<string>()
  const failed = new Map<string, unknown>()
  const loader: LoadMany<unknown> = async (missing, context) => {
    if (!(await pace.turn(missing.length, context.signal))) throw context.signal.reason
    if (ttl !== undefined) context.options.ttl = ttl
    for (const key of missing) asked.push(key)
    const startedAt = clock.now()
    try {
      const values = await loadMany(missing, context)
      pace.saw(startedAt, true)
      for (const key of missing) {
        if (values instanceof Map && !values.has(key)) absent.add(key)
        else given.push(key)
      }
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
    // What did not fail in our own load: a value that cannot be kept, a closed cache, somebody else's load. Which of the
    // keys it was, the next try tells; a wrong answer is about those that were asked for.
    const isOurs = [...failed.values()].includes(error)
    const suspects = isOurs ? [] : isWrongAnswer(error) ? asked : keys
    for (const key of suspects) if (!absent.has(key) && !failed.has(key)) failed.set(key, error)
  }
  return { given, absent, failed }
}

const none: ReadonlySet<string> = new Set()

/** Whether `loadMany` answered with something else than values. */
export const isWrongAnswer = (error: unknown): boolean =>
  error instanceof CacheError && error.code === 'ERR_LOADER_RESULT'
