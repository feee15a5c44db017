import { chain, isPromise, promised } from './awaitable.js'
import { give } from './copy.js'
import type { Engine } from './engine.js'
import type { Entry } from './entry.js'
import { CacheError } from './errors.js'
import { type Flight, type Landed, type Request, startOver } from './flight.js'
import { begin, endOverdue } from './flying.js'
import type { Found } from './found.js'
import { look, looksFirst } from './looking.js'
import type { Plan } from './plan.js'
import { usable } from './reading.js'
import type { Target } from './scope.js'
import type { Awaitable } from './store.js'
import { anyDead } from './tag-table.js'
import { handOver, wait } from './waiting.js'

/**
 * The value, loaded if nobody has it or is getting it. The one path of every read with a loader that is not a
 * plain hit: the nearest tier, the store where a look is cheap, the flight under way, then one of its own.
 */
export function load(engine: Engine, request: Request): Promise<unknown> {
  return promised(() => {
    const { storeKey, plan } = request
    engine.assertOpen()
    plan.signal?.throwIfAborted()
    if (passesOver(plan) || !looksFirst(engine, plan)) return joinOrBegin(engine, request)
    return chain(nearest(engine, request), (found) => {
      if (found !== undefined) return serve(engine, request, found)
      if (joinable(engine, storeKey) !== undefined) return joinOrBegin(engine, request)
      return look(engine, request, (seen) => {
        engine.assertOpen()
        if (seen === 'failed') return joinOrBegin(engine, { ...request, unasked: true })
        // Somebody may have begun a load meanwhile.
        if (seen?.state !== 'fresh') return joinOrBegin(engine, request)
        engine.inVain = 0
        return serve(engine, request, seen)
      })
    })
  })
}

/** Whether the caller wants a load of its own, whatever is there and whoever loads. */
export const passesOver = ({ forceRefresh, skip }: Plan): boolean =>
  forceRefresh === true || skip === 'read' || skip === 'both'

/** The value of the flight under way, or of one of its own. */
export async function joinOrBegin(engine: Engine, request: Request): Promise<unknown> {
  const { storeKey, plan } = request
  const alone = passesOver(plan)
  for (;;) {
    const near = alone ? undefined : nearest(engine, request)
    const found = isPromise(near) ? await near : near
    if (found !== undefined) return serve(engine, request, found)
    const joined = alone ? undefined : joinable(engine, storeKey)
    const { changes } = engine.tags
    const waited = await wait(engine, joined ?? begin(engine, request), plan)
    if (joined === undefined || !isInVain(waited, joined, changes !== joined.changes))
      return answer(engine, request, waited, joined)
  }
}

/** Whether who joined has to begin anew. `isLater`: a tag changed between the load's begin and the caller's coming. */
const isInVain = (waited: Landed, joined: Flight, isLater: boolean): boolean =>
  'failure' in waited ? waited.failure === startOver : 'value' in waited && joined.outdated && isLater

/** Counts and tells what a wait ended with, and answers with its value or throws its error. */
export function answer(engine: Engine, request: Request, waited: Landed, joined?: Flight): unknown {
  const { plan } = request
  if ('stale' in waited) {
    const { stale, reason, error } = waited
    if (joined !== undefined) engine.count.coalesced++
    engine.count.staleHits++
    engine.tell('staleHit', request, { reason, error, joined: joined !== undefined })
    return give(stale.value, plan)
  }
  if ('failure' in waited || waited.found === undefined) missed(engine, request, joined)
  else {
    hit(engine, request, waited.found.entry)
    if (joined === undefined) refreshIfDue(engine, request, waited.found)
  }
  if ('failure' in waited) throw waited.failure
  return give(waited.value, plan)
}

/** Answers with what was found, and loads anew behind it when it is time. */
export function serve(engine: Engine, request: Request, found: Found): unknown {
  hit(engine, request, found.entry)
  refreshIfDue(engine, request, found)
  return give(found.value, request.plan)
}

/** The fresh entry of the nearest tier, if it can be used. */
function nearest(engine: Engine, request: Request): Awaitable<Found | undefined> {
  const entry = engine.local.get(request.storeKey)
  return entry !== undefined && engine.clock.now() < entry.staleAt
    ? usable(engine, request, entry)
    : undefined
}

/** The flight under way, unless a tag of it has changed since it began. */
export function current(engine: Engine, storeKey: string): Flight | undefined {
  const flight = engine.flights.get(storeKey)
  return flight === undefined || anyDead(flight.tags) || endOverdue(engine, flight) ? undefined : flight
}

/** The same, for one who is going to wait for it. A loader that asks for its own is told. */
export function joinable(engine: Engine, storeKey: string): Flight | undefined {
  const flight = current(engine, storeKey)
  if (flight === undefined) return undefined
  // A loader that waited for its own flight would wait for ever.
  let outer = engine.settings.asyncContext?.getStore() as { flight: Flight; outer: typeof outer } | undefined
  let recursive = flight.calling
  for (; outer !== undefined; outer = outer.outer) recursive ||= outer.flight === flight
  if (recursive)
    throw new CacheError('ERR_RECURSION', 'a loader asks for the key it is loading', flight.request)
  return flight
}

/** Loads anew behind a fresh hit, when the options say it is time. */
function refreshIfDue(engine: Engine, request: Request, { entry }: Found): void {
  const { plan, storeKey } = request
  if (plan.skip === 'write' || !isDue(engine, plan, entry)) return
  if (
    engine.flights.get(storeKey) !== undefined ||
    engine.failures.get(storeKey, engine.clock.now()) !== undefined
  )
    return
  handOver(engine, begin(engine, { ...request, background: true }))
}

function isDue(engine: Engine, { refreshAhead, beta }: Plan, { createdAt, staleAt, loadMs }: Entry): boolean {
  if (refreshAhead === undefined && beta === undefined) return false
  const now = engine.clock.now()
  if (refreshAhead !== undefined) return now >= createdAt + (staleAt - createdAt) * refreshAhead
  // Not in the first half of its life, however slow the load.
  if (staleAt - now > (staleAt - createdAt) / 2) return false
  // The draw is from (0, 1]: the logarithm of 0 is infinite.
  return now - loadMs * beta! * Math.log(1 - engine.settings.random()) >= staleAt
}

/** Counts and tells a fresh answer. */
export function hit(engine: Engine, target: Pick<Target, 'scope' | 'key' | 'began'>, entry: Entry): void {
  engine.count.hits++
  engine.hitWatcher?.hit(target.key, target.scope.namespace, entry, target.began ?? 0)
  if (engine.tellsHits) tellHit(engine, target, entry)
}

export function tellHit(engine: Engine, target: Pick<Target, 'scope' | 'key'>, entry: Entry): void {
  engine.tell('hit', target, { tier: engine.tierName(entry.tier) })
}

/** Counts and tells that the store had no answer. */
export function missed(engine: Engine, target: Pick<Target, 'scope' | 'key'>, joined?: Flight): void {
  engine.count.misses++
  if (joined !== undefined) engine.count.coalesced++
  engine.tell('miss', target, { joined: joined !== undefined })
}
