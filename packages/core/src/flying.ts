import { isPromise } from './awaitable.js'
import { give } from './copy.js'
import type { Engine } from './engine.js'
import { CacheError, codeOf } from './errors.js'
import { Flight, type Landed, type Request, startOver } from './flight.js'
import type { Found } from './found.js'
import { acquire, release } from './leasing.js'
import { Context, unwrap } from './load-context.js'
import { defaultErrorTtl, type Plan } from './plan.js'
import { unreadable, usable } from './reading.js'
import type { TagPosition } from './tag-table.js'
import { commit, makeEntry, ttlOfValue } from './writing.js'

/** Starts a load. It is in the table before anything is waited for, so that nobody starts another. */
export function begin(engine: Engine, request: Request): Flight {
  const { storeKey, plan } = request
  const forced = plan.forceRefresh === true || plan.skip === 'read'
  const flight = new Flight(request, forced, engine.clock.now(), engine.tags.changes)
  if (plan.skip !== 'both') {
    // An older load that this one replaces must not be stored over it.
    engine.fence(storeKey)
    engine.flights.set(storeKey, flight)
  }
  engine.running.add(flight)
  // Most flights find what they need in the store, which has a timeout of its own.
  if (engine.settings.timeouts.store >= plan.timeouts.load) limit(engine, flight)
  void fly(engine, flight)
  return flight
}

/** Has the flight given up when its time is over. From here on it waits for others: a loader, or another process. */
function limit(engine: Engine, flight: Flight): void {
  const { request, startedAt, timer } = flight
  const { load } = request.plan.timeouts
  if (load === Infinity || timer !== undefined || flight.settled) return
  const late = (): void => {
    const message = `no value within timeouts.load (${load} ms)`
    giveUp(engine, flight, new CacheError('ERR_LOAD_TIMEOUT', message, request))
  }
  flight.timer = engine.clock.setTimer(late, Math.max(0, startedAt + load - engine.clock.now()), false)
}

async function fly(engine: Engine, flight: Flight): Promise<void> {
  const outcome = bring(engine, flight)
  try {
    await outcome
  } catch {
    // Whoever waits is told.
  }
  // A lease that was not used up by a commit.
  release(engine, flight)
  if (flight.settled) return
  engine.leave(flight)
  flight.land(outcome)
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
  const { plan, loader, storeKey, key, found: known } = flight.request
  const { skip } = plan
  let position: TagPosition
  if (skip !== 'both') {
    position = await mark(engine, flight)
    const { leases } = engine.store
    // With leases the store is asked in any case, for the right to load.
    const found =
      leases === undefined && (known !== undefined || skip === 'read') ? known : await read(engine, flight)
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
    result = await call(engine, flight, () => loader(context))
  } catch (error) {
    if (!flight.settled && error !== startOver) failed(engine, flight, error, true)
    throw error
  }
  const { value, keep } = unwrap(result)
  if (flight.settled) return { value }
  const ms = engine.clock.now() - flight.loadedAt
  engine.failures.delete(storeKey)
  engine.tell('load', flight.request, { ms, background: flight.background })
  const outdated =
    keep &&
    skip !== 'write' &&
    skip !== 'both' &&
    !(await keepLoaded(engine, flight, value, context.plan(result), position, ms))
  return { value, outdated }
}

/** Captures the versions of the tags, and where invalidations stand, before anything is read. */
async function mark(engine: Engine, flight: Flight): Promise<TagPosition> {
  const { scope, plan, key } = flight.request
  const names = scope.tagsIn(plan.tags)
  try {
    // Asked together, so that it is one trip where there is one to make.
    const position = engine.tags.position()
    const tags = engine.tags.snapshot(names)
    if (!isPromise(position) && !isPromise(tags)) {
      flight.tags = tags
      return position
    }
    const [at, versions] = await Promise.all([position, tags])
    flight.tags = versions
    return at
  } catch (error) {
    // Without them nothing can be kept, but in the nearest tier, for as long as nobody can be asked.
    flight.storable = engine.local.alone !== undefined
    if (flight.storable) {
      flight.alone = true
      flight.tags = engine.tags.mint(names)
    }
    engine.tolerate(error, 'read the tags', key)
    return undefined
  }
}

/** What the store has, and the lease where there are leases. A store that fails is left alone by this load. */
async function read(engine: Engine, flight: Flight): Promise<Found | undefined> {
  const { storeKey } = flight.request
  const { leases } = engine.store
  let asks = flight.request.unasked === true ? 0 : 2
  while (asks-- > 0) {
    try {
      await engine.settle(storeKey)
      if (leases !== undefined) return await acquire(engine, flight, () => limit(engine, flight))
      return await usable(engine, flight.request, await engine.guard('get', (store) => store.get(storeKey)))
    } catch (error) {
      if (error === startOver) throw error
      await unreadable(engine, flight.request, error)
      if (codeOf(error) !== 'ERR_POISONED') break
      // What could not be read is gone now, and the right to load still to be had.
      if (leases === undefined) return undefined
    }
  }
  flight.alone = true
  return usable(engine, flight.request, engine.local.peek(storeKey))
}

/** Runs the loader, and knows while its synchronous part does. */
async function call(engine: Engine, flight: Flight, run: () => unknown): Promise<unknown> {
  const { asyncContext } = engine.settings
  flight.loadedAt = engine.clock.now()
  engine.count.loads++
  engine.loading++
  flight.atWork = true
  flight.calling = true
  try {
    const answer =
      asyncContext === undefined ? run() : asyncContext.run({ flight, outer: asyncContext.getStore() }, run)
    flight.calling = false
    return await answer
  } finally {
    flight.calling = false
    engine.loaderEnded(flight)
  }
}

/** Counts a failed load, and keeps its key from being tried again for a while. */
function failed(engine: Engine, flight: Flight, error: unknown, holdOff: boolean): void {
  const { storeKey, plan } = flight.request
  const { errorTtl = flight.stale === undefined ? 0 : defaultErrorTtl } = plan
  const now = engine.clock.now()
  if (holdOff && errorTtl > 0 && !flight.fenced) engine.failures.add(storeKey, error, now + errorTtl)
  engine.count.loadErrors++
  engine.tell('loadError', flight.request, {
    ms: now - flight.loadedAt,
    background: flight.background,
    error,
  })
}

/** Keeps what was loaded, unless its key or a tag changed meanwhile. `false`: a tag the loader added did. */
async function keepLoaded(
  engine: Engine,
  flight: Flight,
  value: unknown,
  plan: Plan,
  position: TagPosition,
  ms: number,
): Promise<boolean> {
  const { scope, key, storeKey } = flight.request
  const ttl = ttlOfValue(value, plan, engine.settings.random)
  const kept = give(value, plan)
  if (!flight.storable) return true
  if (ttl === 0) {
    if (flight.stale !== undefined && !flight.fenced) await engine.drop(storeKey)
    return true
  }
  let { tags } = flight
  const late = scope.tagsIn(plan.tags).filter((name) => !tags.some((tag) => tag.name === name))
  let inTime = true
  if (late.length > 0) {
    try {
      const added = await engine.tags.snapshotSince(late, position)
      if (added === undefined) inTime = false
      else tags = [...tags, ...added]
    } catch (error) {
      engine.tolerate(error, 'read the tags', key)
      return true
    }
  }
  const entry = makeEntry(engine, kept, plan, ttl, tags, Math.round(ms))
  if (!inTime || !(await commit(engine, flight, entry, plan))) {
    engine.count.fenced++
    engine.tell('fenced', flight.request, {})
  }
  return inTime
}
