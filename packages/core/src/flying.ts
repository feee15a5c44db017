import { attempt, chain, isPromise } from './awaitable.js'
import { show } from './checks.js'
import { deadline } from './deadlines.js'
import { give } from './copy.js'
import type { Engine } from './engine.js'
import { CacheError, codeOf } from './errors.js'
import { Flight, type Landed, type Request, startOver } from './flight.js'
import type { Found } from './found.js'
import { acquire, release } from './leasing.js'
import { Context, unwrap } from './load-context.js'
import { defaultErrorTtl, type Plan } from './plan.js'
import { unreadable, usable } from './reading.js'
import type { TagVersion } from './entry.js'
import type { Awaitable } from './store.js'
import type { TagPosition } from './tag-table.js'
import { runIn } from './watcher.js'
import { commit, makeEntry, ttlOfValue } from './writing.js'

/** Starts a load. It is in the table before anything is waited for, so that nobody starts another. */
export function begin(engine: Engine, request: Request): Flight {
  const { plan } = request
  const forced = plan.forceRefresh === true || plan.skip === 'read'
  const flight = new Flight(request, forced, engine.clock.now(), engine.tags.changes)
  engine.enter(flight, plan.skip === 'both')
  // Most flights find what they need in the store, which has a timeout of its own.
  if (engine.settings.timeouts.store >= plan.timeouts.load) limit(engine, flight)
  void bring(engine, flight).then(
    (landed) => end(engine, flight, () => flight.land(landed)),
    (error: unknown) => end(engine, flight, () => flight.crash(error)),
  )
  return flight
}

/** Has the flight given up when its time is over. From here on it waits for others: a loader, or another process. */
function limit(engine: Engine, flight: Flight): void {
  const { load } = flight.request.plan.timeouts
  if (flight.endLimit !== undefined || flight.settled) return
  const late = (): unknown => endOverdue(engine, flight, true)
  flight.endLimit =
    load === engine.settings.timeouts.load
      ? engine.limits.add(late)
      : deadline(engine.clock, load, false, late)
}

/**
 * Gives a load up whose time is over, and tells whether it is. Asked of one that is to be joined too: an edge worker ends
 * the timers of a request with it, and what the request was waiting for.
 */
export function endOverdue(engine: Engine, flight: Flight, timer = false): boolean {
  const { request, loadedAt, atWork } = flight
  const { load } = request.plan.timeouts
  const isOver = timer || (atWork && engine.clock.now() > loadedAt + load)
  if (isOver) {
    const message = `no value of ${show(request.key)} within timeouts.load (${load} ms)`
    giveUp(engine, flight, new CacheError('ERR_LOAD_TIMEOUT', message, request))
  }
  return isOver
}

function end(engine: Engine, flight: Flight, settle: () => void): void {
  // A lease that was not used up by a commit.
  release(engine, flight)
  if (flight.settled) return
  engine.leave(flight)
  settle()
}

/** Gives a load up, for a reason that everyone who still waits is told. */
export function giveUp(engine: Engine, flight: Flight, reason: unknown): void {
  if (flight.settled) return
  engine.leave(flight)
  flight.abort(reason)
  // Callers who leave say nothing about the origin.
  if (flight.loadedAt > 0) failed(engine, flight, reason, reason instanceof CacheError)
  release(engine, flight)
}

/** The whole way of a load: tags, store, hold-off, loader, store. */
async function bring(engine: Engine, flight: Flight): Promise<Landed> {
  const { plan, loader, scope, storeKey, key, found: known, among } = flight.request
  const { skip } = plan
  let position: TagPosition
  if (skip !== 'both') {
    const marked = mark(engine, flight)
    position = isPromise(marked) ? await marked : marked
    const { leases } = engine.store
    // With leases the store is asked in any case, for the right to load.
    const asked = leases !== undefined || (known === undefined && skip !== 'read')
    const read = asked ? readOrTolerate(engine, flight) : known
    const found = isPromise(read) ? await read : read
    if (found?.state === 'fresh' && !flight.forced) return { value: found.value, found }
    if (skip !== 'read') flight.stale = found ?? known
  }
  flight.hasRead()
  const failure = flight.forced ? undefined : engine.failures.get(storeKey, engine.clock.now())
  if (failure !== undefined) throw failure.error
  if (flight.settled) throw startOver
  const { maxLoads } = engine.settings
  if (engine.loading >= maxLoads) {
    throw new CacheError('ERR_TOO_MANY_LOADS', `${maxLoads} loads are under way, which is maxLoads`, { key })
  }

  limit(engine, flight)
  const context = new Context(flight, engine.clock.now())
  let result: unknown
  try {
    // Of several keys, `loadMany` is watched, and not each key's part in it.
    const run = (): unknown => loader(context)
    result = call(engine, flight, () =>
      among === undefined ? runIn(engine.watchers, [key], scope.namespace, run) : run(),
    )
    if (isPromise(result)) result = await result
  } catch (error) {
    if (!flight.settled) {
      if (error === startOver) engine.tell('absent', flight.request, timesOf(engine, flight))
      else failed(engine, flight, error, true)
    }
    throw error
  } finally {
    engine.loaderEnded(flight)
  }
  const { value, keep } = unwrap(result)
  if (flight.settled) return { value }
  // It is stored now, whoever leaves meanwhile. Store calls have a timeout of their own.
  flight.kept = true
  flight.endLimit?.()
  const times = timesOf(engine, flight)
  engine.failures.delete(storeKey)
  engine.tell('load', flight.request, times)
  if (!keep || skip === 'write' || skip === 'both') return { value }
  const kept = keepLoaded(engine, flight, value, context.plan(result), position, times.ms)
  return { value, outdated: !(isPromise(kept) ? await kept : kept) }
}

/** Captures the versions of the tags, and where invalidations stand, before anything is read. */
function mark(engine: Engine, flight: Flight): Awaitable<TagPosition> {
  const { scope, plan, key } = flight.request
  const names = scope.tagsIn(plan.tags)
  return attempt(
    () => {
      // Asked together, so that it is one trip where there is one to make.
      const position = engine.tags.position()
      const tags = engine.tags.snapshot(names)
      return isPromise(position) || isPromise(tags)
        ? Promise.all([position, tags])
        : ([position, tags] as const)
    },
    ([position, tags]) => {
      flight.tags = tags
      return position
    },
    (error) => {
      // Without them nothing can be kept, but in the nearest tier, for as long as nobody can be asked.
      flight.storable = engine.local.alone !== undefined
      if (flight.storable) {
        flight.alone = true
        flight.tags = engine.tags.mint(names)
      }
      engine.tolerate(error, 'read the tags', key)
      return undefined
    },
  )
}

/** What the store has, and the lease where there are leases. */
function read(engine: Engine, flight: Flight): Awaitable<Found | undefined> {
  const { storeKey } = flight.request
  return chain(engine.debts.settle(storeKey), () =>
    engine.store.leases !== undefined
      ? acquire(engine, flight, () => limit(engine, flight))
      : chain(
          engine.guard('get', (store) => store.get(storeKey)),
          (entry) => usable(engine, flight.request, entry),
        ),
  )
}

/** The same, where a store that fails is left alone by this load. */
function readOrTolerate(engine: Engine, flight: Flight, again = false): Awaitable<Found | undefined> {
  const { storeKey, unasked } = flight.request
  const leaveAlone = (): Awaitable<Found | undefined> => {
    flight.alone = true
    return usable(engine, flight.request, engine.local.peek(storeKey))
  }
  if (unasked === true) return leaveAlone()
  return attempt(
    () => read(engine, flight),
    (found) => found,
    (error) => {
      if (error === startOver) throw error
      return chain(unreadable(engine, flight.request, error), () => {
        if (codeOf(error) !== 'ERR_POISONED') return leaveAlone()
        // What could not be read is gone now, and the right to load still to be had.
        if (engine.store.leases === undefined) return undefined
        return again ? leaveAlone() : readOrTolerate(engine, flight, true)
      })
    },
  )
}

/** Runs the loader, and counts it. */
function call(engine: Engine, flight: Flight, run: () => unknown): unknown {
  flight.loadedAt = engine.clock.now()
  engine.count.loads++
  engine.loading++
  flight.atWork = true
  return calling(engine, [flight], run)
}

/** Runs what loads for these flights, so that a read of one of them knows that it would wait for itself. */
export function calling<T>(engine: Engine, flights: readonly Flight[], run: () => T): T {
  const { asyncContext } = engine.settings
  for (const flight of flights) flight.calling = true
  try {
    if (asyncContext === undefined) return run()
    let context = asyncContext.getStore()
    for (const flight of flights) context = { flight, outer: context }
    return asyncContext.run(context, run)
  } finally {
    for (const flight of flights) flight.calling = false
  }
}

/** Counts a failed load, and keeps its key from being tried again for a while. */
function failed(engine: Engine, flight: Flight, error: unknown, holdOff: boolean): void {
  const { storeKey, plan } = flight.request
  const { errorTtl = flight.stale === undefined ? 0 : defaultErrorTtl } = plan
  const now = engine.clock.now()
  if (holdOff && errorTtl > 0 && !flight.fenced) engine.failures.add(storeKey, error, now + errorTtl)
  engine.count.loadErrors++
  engine.tell('loadError', flight.request, { ...timesOf(engine, flight), error })
}

/** What is told of a load that has ended. */
function timesOf(engine: Engine, { loadedAt, background }: Flight): { ms: number; background: boolean } {
  return { ms: engine.clock.now() - loadedAt, background }
}

/** Keeps what was loaded, unless its key or a tag changed meanwhile. `false`: a tag the loader added did. */
function keepLoaded(
  engine: Engine,
  flight: Flight,
  value: unknown,
  plan: Plan,
  position: TagPosition,
  ms: number,
): Awaitable<boolean> {
  const { scope, key, storeKey } = flight.request
  const ttl = ttlOfValue(value, plan, engine.settings.random)
  const kept = give(value, plan)
  if (!flight.storable) return true
  if (ttl === 0) {
    const dropped = flight.stale !== undefined && !flight.fenced ? engine.drop(storeKey) : undefined
    return chain(dropped, () => true)
  }
  const store = (added: readonly TagVersion[] | undefined): Awaitable<boolean> => {
    const tags = added === undefined || added.length === 0 ? flight.tags : [...flight.tags, ...added]
    const entry = makeEntry(engine, kept, plan, ttl, tags, Math.round(ms))
    return chain(added !== undefined && commit(engine, flight, entry, plan), (stored) => {
      if (!stored) {
        engine.count.fenced++
        engine.tell('fenced', flight.request, {})
      }
      return added !== undefined
    })
  }
  if (plan.tags === flight.request.plan.tags) return store([])
  const late = scope.tagsIn(plan.tags).filter((name) => !flight.tags.some((tag) => tag.name === name))
  if (late.length === 0) return store([])
  return attempt(
    () => engine.tags.snapshotSince(late, position),
    store,
    (error) => {
      engine.tolerate(error, 'read the tags', key)
      return true
    },
  )
}
