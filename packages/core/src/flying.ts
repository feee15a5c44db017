import { attempt, chain, isPromise } from './awaitable.js'
import { show } from './checks.js'
import { deadline } from './deadlines.js'
import type { Engine } from './engine.js'
import { CacheError, codeOf } from './errors.js'
import { type Brought, type Failed, Flight, type Request, startOver } from './flight.js'
import type { Found } from './found.js'
import { type Answer, keep, type Times } from './keeping.js'
import { acquire, release } from './leasing.js'
import { Context, valueOf } from './load-context.js'
import { defaultErrorTtl } from './plan.js'
import { unreadable, usable } from './reading.js'
import type { Awaitable } from './store.js'
import type { TagPosition } from './tag-table.js'
import { runIn } from './watcher.js'

/** Starts a load. */
export function begin(engine: Engine, request: Request): Flight {
  const flight = enter(engine, request)
  bring(engine, [flight])
  return flight
}

/** A flight that is in the table before anything is waited for, so that nobody starts another. */
export function enter(engine: Engine, request: Request, now: number = engine.clock.now()): Flight {
  const { plan } = request
  const forced = plan.forceRefresh === true || plan.skip === 'read'
  const flight = new Flight(request, forced, now, engine.tags.changes)
  engine.enter(flight, plan.skip === 'both')
  // Most flights find what they need in the store, which has a timeout of its own.
  if (engine.settings.timeouts.store >= plan.timeouts.load) limit(engine, [flight])
  return flight
}

/** Has the flights given up when their time is over. From here on they wait for others: a loader, or another process. */
function limit(engine: Engine, flights: readonly Flight[]): void {
  const limited = flights.filter(({ endLimit, settled }) => endLimit === undefined && !settled)
  let left = limited.length
  if (left === 0) return
  const { load } = limited[0]!.request.plan.timeouts
  const late = (): void => {
    for (const flight of limited) endOverdue(engine, flight, true)
  }
  const over =
    load === engine.settings.timeouts.load
      ? engine.limits.add(late)
      : deadline(engine.clock, load, false, late)
  const endLimit = (): void => {
    if (--left === 0) over()
  }
  for (const flight of limited) flight.endLimit = endLimit
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

/** Ends a flight, for itself and for whoever waits. */
function end(engine: Engine, flight: Flight, outcome: Brought | Failed): void {
  // A lease that was not used up by a commit.
  release(engine, flight)
  if (flight.settled) return
  engine.leave(flight)
  flight.settle(outcome, engine.clock)
}

/** Gives a load up, for a reason that everyone who still waits is told. */
export function giveUp(engine: Engine, flight: Flight, reason: unknown): void {
  if (flight.settled) return
  engine.leave(flight)
  flight.abort(reason, engine.clock)
  // Callers who leave say nothing about the origin.
  if (flight.loadedAt > 0)
    failed(engine, flight, reason, timesOf(flight, engine.clock.now()), reason instanceof CacheError)
  release(engine, flight)
}

/**
 * The whole way of loads that ask the origin together: tags, store, hold-off, loader, store. They are of one call, for
 * one key or for many: those of many take each step together, as a promise for each key and step would cost more than
 * all the rest. Each of them is settled by itself.
 */
export function bring(engine: Engine, flights: readonly Flight[]): void {
  void attempt(
    () => mark(engine, flights),
    (position) => look(engine, flights, position),
    (failure) => {
      for (const flight of flights) end(engine, flight, { failure })
    },
  )
}

/**
 * Looks for what is there already, and asks the origin once that is known of each. A flight whose key another process
 * loads goes apart: nobody else waits for it, and should it need the loader after that, it asks alone.
 */
function look(engine: Engine, flights: readonly Flight[], position: TagPosition): void {
  /** How many are not known yet, and this loop itself. */
  let open = 1
  const ready = (): void => {
    if (--open > 0) return
    const together = flights.filter(({ apart }) => !apart)
    void ask(engine, together, position)
  }
  for (const flight of flights) {
    const { looked, found, plan } = flight.request
    // With leases the store is asked in any case, for the right to load.
    const isKnown = looked === true || (plan.skip === 'read' && engine.store.leases === undefined)
    if (isKnown || plan.skip === 'both') hasRead(engine, flight, found)
    else {
      open++
      lookFor(engine, flight, position, ready)
    }
  }
  ready()
}

/** Asks the store for one of them. `ready`: what it has is known, or the others are not to wait for it. */
function lookFor(engine: Engine, flight: Flight, position: TagPosition, ready: () => void): void {
  const goApart = (): void => {
    if (flight.apart) return
    flight.apart = true
    limit(engine, [flight])
    ready()
  }
  const next = (): void => {
    if (flight.apart) void ask(engine, [flight], position)
    else ready()
  }
  void attempt(
    () => read(engine, flight, goApart),
    (found) => {
      hasRead(engine, flight, found)
      next()
    },
    (failure) => {
      end(engine, flight, { failure })
      next()
    },
  )
}

/** Ends a flight that found what it is for; any other keeps what is to be replaced. */
function hasRead(engine: Engine, flight: Flight, found: Found | undefined): void {
  const { skip } = flight.request.plan
  if (found?.state === 'fresh' && !flight.forced) end(engine, flight, { value: found.value, found })
  else {
    if (skip !== 'read' && skip !== 'both') flight.stale = found
    flight.hasRead()
  }
}

/** Asks the origin for all of them at once, and keeps what it says. */
async function ask(engine: Engine, wanted: readonly Flight[], position: TagPosition): Promise<void> {
  const now = engine.clock.now()
  const flights = wanted.filter((flight) => depart(engine, flight, now))
  const first = flights[0]
  if (first === undefined) return
  limit(engine, flights)
  const { scope, loader, loadMany } = first.request
  const keys = flights.map(({ request }) => request.key)
  const context = new Context(first, now, flights.length > 1 ? signalOf(flights) : undefined)
  // A copy: whoever takes keys off the list does no harm.
  const run = (): unknown => (loadMany === undefined ? loader!(context) : loadMany([...keys], context.many))
  const watched = (): unknown => runIn(engine.watchers, keys, scope.namespace, run)
  let resultOf: (key: string) => unknown
  try {
    const answer = await calling(engine, flights, watched)
    resultOf = loadMany === undefined ? () => answer : resultsIn(answer, keys)
  } catch (error) {
    // Who asks in the turn in which it threw shares it.
    await undefined
    resultOf = () => {
      throw error
    }
  }
  const at = engine.clock.now()
  const times = timesOf(first, at)
  const whole = { resultOf, context, position, at, times }
  let spent = 0
  flights.forEach((flight, i) => {
    // Whole milliseconds, that add up to what all of them took.
    const loadMs = Math.round((times.ms * (i + 1)) / flights.length) - spent
    spent += loadMs
    arrive(engine, flight, whole, loadMs)
  })
}

/** What gives each key's part of the answer of a `loadMany`. */
function resultsIn(answer: unknown, keys: readonly string[]): (key: string) => unknown {
  let all = answer
  if (Array.isArray(answer) && answer.length === keys.length)
    all = new Map(keys.map((key, i) => [key, answer[i]]))
  if (all instanceof Map) {
    const results: ReadonlyMap<string, unknown> = all
    return (key) => {
      const result = results.get(key)
      if (result === undefined && !results.has(key)) throw startOver
      return result
    }
  }
  const got = Array.isArray(answer) ? `an array of ${answer.length}` : show(answer)
  throw new CacheError(
    'ERR_LOADER_RESULT',
    `loadMany must answer with a Map or an array of ${keys.length}, got ${got}`,
  )
}

/** Aborts when all of them are given up. */
function signalOf(flights: readonly Flight[]): AbortSignal {
  const controller = new AbortController()
  let open = flights.length
  const onAbort = (reason: unknown): void => {
    if (--open === 0) controller.abort(reason)
  }
  for (const flight of flights) flight.onAbort = onAbort
  return controller.signal
}

/** Counts a load whose loader is about to be called; `false` if it may not be. */
function depart(engine: Engine, flight: Flight, now: number): boolean {
  if (flight.settled) {
    // Who gave it up could not give a lease back that was being taken.
    release(engine, flight)
    return false
  }
  const { storeKey, key } = flight.request
  const { maxLoads } = engine.settings
  const held = flight.forced ? undefined : engine.failures.get(storeKey, now)
  if (held !== undefined || engine.loading >= maxLoads) {
    const message = `${maxLoads} loads are under way, which is maxLoads`
    end(
      engine,
      flight,
      held === undefined
        ? { failure: new CacheError('ERR_TOO_MANY_LOADS', message, { key }) }
        : { failure: held.error },
    )
    return false
  }
  flight.loadedAt = now
  engine.count.loads++
  engine.loading++
  flight.atWork = true
  return true
}

/** Ends a flight with what came of the loader for its key, once that is kept. */
function arrive(engine: Engine, flight: Flight, answer: Answer, loadMs: number): void {
  engine.loaderEnded(flight)
  let result: unknown
  try {
    result = answer.resultOf(flight.request.key)
  } catch (failure) {
    if (!flight.settled) failed(engine, flight, failure, answer.times)
    end(engine, flight, { failure })
    return
  }
  try {
    const kept = flight.settled ? undefined : keep(engine, flight, result, answer, loadMs)
    const value = valueOf(result)
    if (isPromise(kept)) endLater(engine, flight, value, kept)
    else end(engine, flight, { value })
  } catch (failure) {
    end(engine, flight, { failure })
  }
}

/** Ends a flight with the value, once that is kept. By itself, so that a key whose store answers at once pays for no closure. */
function endLater(engine: Engine, flight: Flight, value: unknown, kept: PromiseLike<void>): void {
  void kept.then(
    () => end(engine, flight, { value }),
    (failure) => end(engine, flight, { failure }),
  )
}

/** Captures the versions of the tags, and where invalidations stand, before anything is read. All have the same tags. */
function mark(engine: Engine, flights: readonly Flight[]): Awaitable<TagPosition> {
  const { scope, plan, key } = flights[0]!.request
  if (plan.skip === 'both') return undefined
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
      for (const flight of flights) flight.tags = tags
      return position
    },
    (error) => {
      // Without them nothing can be kept, but in the nearest tier, for as long as nobody can be asked.
      const storable = engine.local.alone !== undefined
      const tags = storable ? engine.tags.mint(names) : []
      // And no change is known to be none of theirs: whoever joins after one begins anew.
      const state = { storable, alone: storable, tags, outdated: !storable }
      for (const flight of flights) Object.assign(flight, state)
      engine.tolerate(error, 'read the tags', key)
      return undefined
    },
  )
}

/** What the store has, and the lease where there are leases. A store that fails is left alone by this load. */
function read(
  engine: Engine,
  flight: Flight,
  onTaken: () => void,
  again = false,
): Awaitable<Found | undefined> {
  const { request } = flight
  const { storeKey, unasked } = request
  const { leases } = engine.store
  const leaveAlone = (): Awaitable<Found | undefined> => {
    flight.alone = true
    return usable(engine, request, engine.local.peek(storeKey))
  }
  if (unasked === true) return leaveAlone()
  const failed = (error: unknown): Awaitable<Found | undefined> => {
    if (error === startOver) throw error
    return chain(unreadable(engine, request, error), () => {
      if (codeOf(error) !== 'ERR_POISONED') return leaveAlone()
      // What could not be read is gone now, and the right to load still to be had.
      if (leases === undefined) return undefined
      return again ? leaveAlone() : read(engine, flight, onTaken, true)
    })
  }
  if (leases !== undefined) return acquire(engine, flight, onTaken, failed)
  return attempt(
    () => chain(engine.debts.settle(storeKey), () => engine.guard('get', (store) => store.get(storeKey))),
    (entry) => usable(engine, request, entry),
    failed,
  )
}

/** Runs what loads for these flights, so that a read of one of them knows that it would wait for itself. */
function calling<T>(engine: Engine, flights: readonly Flight[], run: () => T): T {
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
function failed(engine: Engine, flight: Flight, error: unknown, times: Times, holdOff = true): void {
  if (error === startOver) {
    engine.tell('absent', flight.request, times)
    return
  }
  const { storeKey, plan } = flight.request
  const { errorTtl = flight.stale === undefined ? 0 : defaultErrorTtl } = plan
  const now = engine.clock.now()
  if (holdOff && errorTtl > 0 && !flight.fenced) engine.failures.add(storeKey, error, now + errorTtl)
  engine.count.loadErrors++
  engine.tell('loadError', flight.request, { ...times, error })
}

function timesOf({ loadedAt, background }: Flight, now: number): Times {
  return { ms: now - loadedAt, background }
}
