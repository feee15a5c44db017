import { attempt, chain, together } from './awaitable.js'
import { give } from './copy.js'
import type { Engine } from './engine.js'
import { createEntry, type Entry, entryOf, graceOf, type TagVersion } from './entry.js'
import { CacheError } from './errors.js'
import { DoNotCache } from './loader.js'
import { partsOf } from './parts.js'
import type { Plan } from './plan.js'
import type { Random } from './random.js'
import { approve } from './reading.js'
import type { Target } from './scope.js'
import type { Awaitable, Store } from './store.js'
import { anyDead } from './tag-table.js'

/** How long the value stays fresh, in whole milliseconds. */
export function ttlOfValue(value: unknown, plan: Plan, random: Random): number {
  const wanted = value == null && plan.negativeTtl !== undefined ? plan.negativeTtl : plan.ttl
  const ttl = Math.min(wanted, plan.maxTtl)
  if (ttl === 0 || ttl === Infinity) return ttl
  return Math.max(1, Math.ceil(plan.jitter === 0 ? ttl : ttl * (1 - plan.jitter * random())))
}

/** An entry that begins at `createdAt`. */
export function makeEntry(
  value: unknown,
  plan: Plan,
  createdAt: number,
  ttl: number,
  tags: readonly TagVersion[],
  loadMs: number,
): Entry {
  const { grace, version } = plan
  return entryOf(value, createdAt, ttl, grace, loadMs, tags.length > 0 ? tags : undefined, version, 0)
}

/** Replaces an entry, at once where the store answers at once. */
export function set(engine: Engine, target: Target, value: unknown): Awaitable<void> {
  const { storeKey } = target
  return engine.order.take(
    [storeKey],
    () => entryToSet(engine, target, value),
    (entry) => {
      const write = (store: Store): Awaitable<unknown> =>
        entry === undefined ? store.delete(storeKey) : store.set(storeKey, entry)
      return chain(engine.change([storeKey], 'set', write, undefined), () => wasSet(engine, target))
    },
  )
}

interface Made {
  readonly target: Target
  readonly entry: Entry | undefined
}

/** Replaces many; if one of them cannot be kept, none. */
export function setMany(
  engine: Engine,
  entries: readonly (readonly [target: Target, value: unknown])[],
): Awaitable<void> {
  const prepare = (): Awaitable<readonly Made[]> => {
    const made = entries.map(([target, value]) =>
      chain(entryToSet(engine, target, value), (entry): Made => ({ target, entry })),
    )
    return together(made)
  }
  const storeKeys = entries.map(([{ storeKey }]) => storeKey)
  const parts = (): Awaitable<readonly Made[]> =>
    chain(prepare(), (made) => lastOf(partsOf(made), (part) => setPart(engine, part)))
  return engine.order.take(storeKeys, parts, (last) => setPart(engine, last))
}

/** The last part, once the others have been written one after the other: each is given its time. */
function lastOf<T>(parts: readonly T[], write: (part: T) => Awaitable<unknown>): Awaitable<T> {
  const last = parts.at(-1)!
  if (parts.length === 1) return last
  const others = async (): Promise<T> => {
    for (const part of parts.slice(0, -1)) await write(part)
    return last
  }
  return others()
}

function setPart(engine: Engine, part: readonly Made[]): Awaitable<void> {
  const storeKeys: string[] = []
  const kept: (readonly [string, Entry])[] = []
  const gone: string[] = []
  for (const { target, entry } of part) {
    const { storeKey } = target
    storeKeys.push(storeKey)
    if (entry === undefined) gone.push(storeKey)
    else kept.push([storeKey, entry])
  }
  const write = (store: Store): Awaitable<unknown> =>
    Promise.all([
      store.batch?.setMany(kept) ?? Promise.all(kept.map(([storeKey, entry]) => store.set(storeKey, entry))),
      ...gone.map((storeKey) => store.delete(storeKey)),
    ])
  return chain(engine.change(storeKeys, 'set', write, undefined), () => {
    for (const { target } of part) wasSet(engine, target)
  })
}

function wasSet(engine: Engine, target: Target): void {
  engine.count.sets++
  engine.tell('set', target, {})
}

/** The entry for a value that somebody sets; `undefined` if it is not to be kept. */
function entryToSet(
  engine: Engine,
  { scope, key, plan }: Target,
  value: unknown,
): Awaitable<Entry | undefined> {
  if (value instanceof Promise) {
    throw new CacheError('ERR_VALUE', `the value of '${key}' is a promise: await it first`, { key })
  }
  if (value instanceof DoNotCache) {
    throw new CacheError('ERR_VALUE', `the value of '${key}' says doNotCache, which is for loaders`, { key })
  }
  const kept = give(value, plan)
  const ttl = ttlOfValue(value, plan, engine.settings.random)
  if (ttl === 0) return undefined
  return attempt(
    () => engine.tags.snapshot(scope.tagsIn(plan.tags)),
    (tags): Entry => {
      const entry = makeEntry(kept, plan, engine.clock.now(), ttl, tags, 0)
      approve(entry, plan)
      return entry
    },
    (error) => {
      // Without the versions of its tags it could never be invalidated: what was there goes, and it is not kept.
      engine.tolerate(error, 'read the tags', key)
      return undefined
    },
  )
}

/** Removes entries, and tells how many there were. */
export function remove(engine: Engine, wanted: readonly Target[]): Awaitable<number> {
  const storeKeys = wanted.map(({ storeKey }) => storeKey)
  let found = 0
  const part = (targets: readonly Target[]): Awaitable<unknown> =>
    chain(removePart(engine, targets), (count) => (found += count))
  return chain(
    engine.order.take(storeKeys, () => lastOf(partsOf(wanted), part), part),
    () => found,
  )
}

function removePart(engine: Engine, wanted: readonly Target[]): Awaitable<number> {
  const storeKeys = wanted.map(({ storeKey }) => storeKey)
  const dead = storeKeys.filter((storeKey) => anyDead(engine.local.peek(storeKey)?.tags)).length
  const sweep = (store: Store): Awaitable<number> => removeAll(store, storeKeys)
  return chain(engine.change(storeKeys, 'delete', sweep, 0), (count) => {
    for (const target of wanted) {
      engine.count.deletes++
      engine.tell('delete', target, {})
    }
    return Math.max(0, count - dead)
  })
}

/** Removes the store's keys, and counts them. */
export function removeAll(store: Store, storeKeys: readonly string[]): Awaitable<number> {
  const { batch } = store
  if (storeKeys.length === 1) return chain(store.delete(storeKeys[0]!), Number)
  if (batch !== undefined) return batch.deleteMany(storeKeys)
  return Promise.all(storeKeys.map((storeKey) => store.delete(storeKey))).then(
    (found) => found.filter(Boolean).length,
  )
}

/** Makes an entry stale from now on. */
export function expire(engine: Engine, target: Target): Awaitable<boolean> {
  const { storeKey } = target
  const step = (store: Store): Awaitable<boolean> =>
    store.leases?.expire(storeKey) ?? expireEntry(engine, storeKey)
  const change = (): Awaitable<boolean> => engine.change([storeKey], 'expire', step, false)
  return chain(
    engine.order.take([storeKey], () => undefined, change),
    (found) => {
      engine.tell('expire', target, { found })
      return found
    },
  )
}

function expireEntry(engine: Engine, storeKey: string): Awaitable<boolean> {
  const { store, clock, rewriting } = engine
  const reading = { storeKey, overtaken: false }
  rewriting.add(reading)
  return attempt(
    () => store.get(storeKey),
    (entry) => {
      rewriting.delete(reading)
      if (entry === undefined || anyDead(entry.tags)) return false
      const now = clock.now()
      const { value, createdAt, loadMs, tags, version } = entry
      const grace = graceOf(entry)
      // What is removed with many others at this moment is not put back.
      const isCleared = engine.isCleared(storeKey)
      if (!isCleared && (reading.overtaken || now >= entry.staleAt)) return true
      const ttl = Math.max(0, Math.floor(now - createdAt))
      const write =
        grace === 0 || isCleared
          ? store.delete(storeKey)
          : store.set(storeKey, createEntry({ value, createdAt, ttl, grace, loadMs, tags, version }))
      return chain<unknown, boolean>(write, () => true)
    },
    (error) => {
      rewriting.delete(reading)
      throw error
    },
  )
}
