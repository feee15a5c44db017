import { attempt, chain, isPromise, together } from './awaitable.js'
import { wrong } from './checks.js'
import type { Engine } from './engine.js'
import type { Entry } from './entry.js'
import { type Failed, Flight, startOver } from './flight.js'
import type { Found } from './found.js'
import { bring, enter } from './flying.js'
import type { LoadMany } from './loader.js'
import { answer, current, joinable, joinOrBegin, passesOver, serve } from './loading.js'
import { partsOf } from './parts.js'
import type { Plan } from './plan.js'
import { find, usable } from './reading.js'
import type { Target } from './scope.js'
import type { Awaitable } from './store.js'
import { wait, waitForAll } from './waiting.js'

/** The keys, each once. */
export function each(keys: Iterable<string>): readonly string[] {
  if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
    wrong('keys', 'an array or another iterable of strings', keys)
  }
  return [...new Set(keys)]
}

/** What the store has of several keys, in one call where it can. */
export function findMany(
  engine: Engine,
  wanted: readonly Target[],
): Awaitable<readonly (Found | undefined)[]> {
  const parts = partsOf(wanted)
  if (parts.length === 1) return findPart(engine, wanted)
  const found: (Found | undefined)[] = []
  let asked: Awaitable<unknown>
  for (const part of parts) {
    const more = (): Awaitable<unknown> => chain(findPart(engine, part), (all) => found.push(...all))
    asked = chain(asked, more)
  }
  return chain(asked, () => found)
}

function findPart(engine: Engine, wanted: readonly Target[]): Awaitable<readonly (Found | undefined)[]> {
  const { batch } = engine.store
  // By themselves, too, where one of them does not decode, so that it alone is a miss, or the store fails.
  const each = (): Awaitable<readonly (Found | undefined)[]> =>
    together(wanted.map((target) => find(engine, target)))
  if (batch === undefined || engine.debts.owes) return each()
  return attempt(
    () => {
      const storeKeys = wanted.map(({ storeKey }) => storeKey)
      return engine.guard('get', () => batch.getMany(storeKeys), engine.timeoutFor(storeKeys.length))
    },
    (entries) => together(wanted.map((target, i) => usableOrBehind(engine, target, entries[i]))),
    each,
  )
}

/** What the nearest tier has and cannot be used is gone from there: those behind may have another. */
function usableOrBehind(
  engine: Engine,
  target: Target,
  entry: Entry | undefined,
): Awaitable<Found | undefined> {
  if (entry === undefined) return undefined
  const found = usable(engine, target, entry)
  if (engine.local.alone === undefined || entry.tier !== 0) return found
  return chain(found, (one) => one ?? find(engine, target))
}

/** The values of several keys: `loadMany` is asked once for all that nobody has or is getting. */
export async function loadAll<V>(
  engine: Engine,
  wanted: readonly Target[],
  loadMany: LoadMany<V>,
  plan: Plan,
): Promise<Map<string, V>> {
  const { signal, timeouts } = plan
  const alone = passesOver(plan)
  // Now, while the synchronous part of a loader that asks for its own keys is known.
  if (!alone && engine.flights.size > 0) for (const { storeKey } of wanted) joinable(engine, storeKey)
  const asked = alone ? [] : findMany(engine, wanted)
  const found = isPromise(asked) ? await asked : asked
  engine.assertOpen()
  signal?.throwIfAborted()

  const looked = !isPromise(asked) && engine.store.leases === undefined
  const now = engine.clock.now()
  const isPatient = timeouts.soft === Infinity && timeouts.hard === Infinity
  /** The loads that ask the origin together. */
  const own: Flight[] = []
  /** What each key has, once there is nothing left to wait for: a load of its own that is over, or what answers. */
  const answers: (Flight | (() => unknown))[] = []
  const waits: Promise<unknown>[] = []
  const later = <T>(i: number, wait: Promise<T>, next: (value: T) => unknown): void => {
    const failed = (error: unknown): void => {
      answers[i] = () => {
        throw error
      }
    }
    waits.push(wait.then((value) => (answers[i] = () => next(value)), failed))
  }
  wanted.forEach(({ scope, key, storeKey }, i) => {
    const there = found[i]
    const request = {
      scope,
      key,
      storeKey,
      plan,
      loadMany,
      looked,
      found: looked ? there : undefined,
      among: wanted.length,
    }
    if (there?.state === 'fresh') answers[i] = serve.bind(undefined, engine, request, there)
    else if (!alone && current(engine, storeKey) !== undefined) {
      // What was there says nothing any more when it begins anew.
      later(i, joinOrBegin(engine, { ...request, looked: false, found: undefined }), (value) => value)
    } else {
      const flight = (answers[i] = enter(engine, request, now))
      own.push(flight)
      if (!isPatient) later(i, wait(engine, flight, plan), (waited) => answer(engine, flight.request, waited))
    }
  })
  let hasLeft = false
  if (own.length > 0) {
    const over = isPatient && waitForAll(engine, own, signal)
    bring(engine, own)
    hasLeft = await over
  }
  await Promise.all(waits)

  const result = new Map<string, V>()
  let failure: Failed | undefined
  wanted.forEach(({ key }, i) => {
    const one = answers[i]!
    try {
      const value =
        one instanceof Flight
          ? answer(engine, one.request, hasLeft ? { failure: signal!.reason } : one.outcome!)
          : one()
      result.set(key, value as V)
    } catch (error) {
      // A key that the origin does not have is left out.
      if (error !== startOver) failure ??= { failure: error }
    }
  })
  if (failure !== undefined) throw failure.failure
  return result
}
