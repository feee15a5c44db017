import { attempt, ignore, isPromise } from './awaitable.js'
import { give } from './copy.js'
import type { Engine } from './engine.js'
import type { Entry } from './entry.js'
import type { Flight } from './flight.js'
import { release } from './leasing.js'
import { type Context, valueOf } from './load-context.js'
import { DoNotCache } from './loader.js'
import type { Plan } from './plan.js'
import { approve } from './reading.js'
import type { Awaitable, Leases } from './store.js'
import { anyDead, type TagPosition } from './tag-table.js'
import { makeEntry, ttlOfValue } from './writing.js'

/** What came of the origin for those that asked it together. */
export interface Answer {
  /** What it said of a key; throws what it failed with. */
  readonly resultOf: (key: string) => unknown
  readonly context: Context
  /** Where the invalidations stood when the loads began. */
  readonly position: TagPosition
  /** When it came. */
  readonly at: number
  readonly times: Times
}

/** What is told of a load that has ended. */
export interface Times {
  readonly ms: number
  readonly background: boolean
}

/** Keeps what was loaded, unless its key or a tag changed meanwhile. */
export function keep(
  engine: Engine,
  flight: Flight,
  result: unknown,
  answer: Answer,
  loadMs: number,
): Awaitable<void> {
  const { storeKey, plan } = flight.request
  // It is stored now, whoever leaves meanwhile. Store calls have a timeout of their own.
  flight.kept = true
  flight.endLimit?.()
  flight.endLimit = undefined
  engine.failures.delete(storeKey)
  engine.tell('load', flight.request, answer.times)
  if (plan.skip === 'both') return
  // None is ever taken away.
  return answer.context.plan(result).tags.length === plan.tags.length
    ? store(engine, flight, result, answer, loadMs)
    : keepTagged(engine, flight, result, answer, loadMs)
}

/** The same under tags that the loader added, unless one of them changed since the load began. */
function keepTagged(
  engine: Engine,
  flight: Flight,
  result: unknown,
  answer: Answer,
  loadMs: number,
): Awaitable<void> {
  const { scope, key } = flight.request
  const names = scope.tagsIn(answer.context.plan(result).tags)
  const late = names.filter((name) => !flight.tags.some((tag) => tag.name === name))
  return attempt(
    () => engine.tags.snapshotSince(late, answer.position),
    (added) => {
      if (added !== undefined) {
        // From here on whoever joins it depends on these, too.
        flight.tags = [...flight.tags, ...added]
        return store(engine, flight, result, answer, loadMs)
      }
      flight.outdated = true
      wasFenced(engine, flight)
    },
    (error) => {
      flight.outdated = true
      engine.tolerate(error, 'read the tags', key)
    },
  )
}

/** Stores what was loaded, if it is to be stored. */
function store(
  engine: Engine,
  flight: Flight,
  result: unknown,
  { context, at }: Answer,
  loadMs: number,
): Awaitable<void> {
  const { storeKey, plan: asked } = flight.request
  if (result instanceof DoNotCache || asked.skip === 'write' || !flight.storable) return
  const value = valueOf(result)
  const plan = context.plan(result)
  const ttl = ttlOfValue(value, plan, engine.settings.random)
  const kept = give(value, plan)
  if (ttl === 0) return flight.stale !== undefined && !flight.fenced ? engine.drop(storeKey) : undefined
  return commit(engine, flight, makeEntry(kept, plan, at, ttl, flight.tags, loadMs), plan)
}

/** Stores what a load brought, if nothing changed its key or its tags since it began. */
function commit(engine: Engine, flight: Flight, entry: Entry, plan: Plan): Awaitable<void> {
  const { leases } = engine.store
  const { storeKey } = flight.request
  if (flight.fenced || flight.settled || engine.isChanging(storeKey) || anyDead(entry.tags)) {
    return wasFenced(engine, flight)
  }
  approve(entry, plan)
  if (flight.alone) return keepNear(engine, flight, entry)
  if (leases !== undefined) return commitUnderLease(engine, flight, entry, leases)
  try {
    const stored = engine.guard('set', (store) => store.set(storeKey, entry))
    if (isPromise(stored)) return stored.then(ignore, (error) => notStored(engine, flight, entry, error))
  } catch (error) {
    notStored(engine, flight, entry, error)
  }
}

function commitUnderLease(engine: Engine, flight: Flight, entry: Entry, leases: Leases): Awaitable<void> {
  const { storeKey, among = 1 } = flight.request
  const { lease } = flight
  if (lease === undefined) return wasFenced(engine, flight)
  flight.lease = undefined
  return attempt(
    () => engine.guard('commit', () => leases.commit(storeKey, lease, entry), engine.timeoutFor(among)),
    (stored) => {
      // The lease was lost: to another process, or to a change.
      if (!stored) wasFenced(engine, flight)
    },
    (error) => {
      // What cannot be kept was not sent: nobody is to wait for the end of the lease.
      flight.lease = lease
      release(engine, flight)
      notStored(engine, flight, entry, error)
    },
  )
}

function notStored(engine: Engine, flight: Flight, entry: Entry, error: unknown): void {
  engine.tolerate(error, 'set', flight.request.key)
  keepNear(engine, flight, entry)
}

/** Keeps what was loaded in the nearest tier alone, unless its key has changed. */
function keepNear(engine: Engine, { fenced, request: { storeKey } }: Flight, entry: Entry): void {
  if (!fenced && !engine.isChanging(storeKey)) engine.local.alone?.set(storeKey, entry)
}

/** Counts and tells that what was loaded is not kept. */
function wasFenced(engine: Engine, flight: Flight): void {
  engine.count.fenced++
  engine.tell('fenced', flight.request, {})
}
