import { attempt, chain } from './awaitable.js'
import type { Engine } from './engine.js'
import { type Entry, freshness } from './entry.js'
import { CacheError, codeOf } from './errors.js'
import type { Found } from './found.js'
import type { Plan } from './plan.js'
import type { Target } from './scope.js'
import type { Awaitable } from './store.js'
import { allAlive } from './tag-table.js'

/** What a schema or a migration made of entries' values, so that it is asked once. */
const checked = new WeakMap<Entry, Pick<Plan, 'schema' | 'version'> & { readonly value: unknown }>()

/** What the store has of the key and can be used. A failing store has nothing. */
export function find(engine: Engine, target: Target): Awaitable<Found | undefined> {
  const { storeKey } = target
  // What the nearest tier has needs no store behind it.
  const near = engine.local.alone && engine.local.get(storeKey)
  if (near !== undefined && freshness(near, engine.clock.now()) === 'fresh') {
    return chain(usable(engine, target, near), (found) => found ?? findBehind(engine, target))
  }
  return findBehind(engine, target)
}

function findBehind(engine: Engine, target: Target): Awaitable<Found | undefined> {
  const { storeKey } = target
  return attempt(
    () => chain(engine.debts.settle(storeKey), () => engine.guard('get', (store) => store.get(storeKey))),
    (entry) => usable(engine, target, entry),
    (error) => unreadable(engine, target, error),
  )
}

/** A read that failed: bytes that nobody understands are a miss, a failing store is one if that is tolerated. */
export function unreadable(engine: Engine, target: Target, error: unknown): Awaitable<undefined> {
  if (codeOf(error) === 'ERR_POISONED') return poisoned(engine, target, error)
  engine.tolerate(error, 'get', target.key)
  return undefined
}

/** The entry if its time, its tags and its layout allow it. */
export function usable(
  engine: Engine,
  target: Target,
  entry: Entry | undefined,
): Awaitable<Found | undefined> {
  if (entry === undefined) return undefined
  const state = freshness(entry, engine.clock.now())
  if (state === 'expired') return undefined
  const { plan } = target
  const found = (value: unknown): Found => ({ entry, value, state })
  const laidOut = (alive: boolean): Awaitable<Found | undefined> => {
    if (!alive) {
      // It must not stand before what another process has stored since.
      if (engine.local.peek(target.storeKey) === entry) engine.local.alone?.delete(target.storeKey)
      return undefined
    }
    if (plan.schema === undefined && (plan.version === undefined || plan.version === entry.version)) {
      return found(entry.value)
    }
    const before = checked.get(entry)
    if (before !== undefined && before.schema === plan.schema && before.version === plan.version)
      return found(before.value)
    return layOut(engine, target, entry).then((result) => result && found(result.value))
  }
  const { tags } = entry
  if (tags === undefined || allAlive(tags)) return laidOut(true)
  return attempt(
    () => engine.tags.verify(tags),
    laidOut,
    (error) => {
      engine.tolerate(error, 'read the tags', target.key)
      return undefined
    },
  )
}

/** The value in today's layout, approved by the schema; `undefined`, told and removed, if that cannot be. */
async function layOut(engine: Engine, target: Target, entry: Entry): Promise<{ value: unknown } | undefined> {
  const { schema, version, migrate } = target.plan
  try {
    let { value } = entry
    if (version !== undefined && entry.version !== version) {
      // Another version's layout that nobody can read is a miss like any other.
      if (migrate === undefined) return undefined
      value = await migrate(value, entry.version)
    }
    if (schema !== undefined) {
      const result = await schema['~standard'].validate(value)
      if (result.issues !== undefined) {
        const messages = result.issues.map((issue) => issue.message).join('; ')
        throw new CacheError('ERR_SCHEMA', `the stored value does not fit the schema: ${messages}`, target)
      }
      value = result.value
    }
    checked.set(entry, { schema, version, value })
    return { value }
  } catch (error) {
    return poisoned(engine, target, error)
  }
}

/** An entry of this process's own is in today's layout by its making. */
export function approve(entry: Entry, { schema, version }: Plan): void {
  if (schema !== undefined) checked.set(entry, { schema, version, value: entry.value })
}

function poisoned(engine: Engine, target: Target, error: unknown): Awaitable<undefined> {
  engine.tell('poisoned', target, { error })
  return chain(engine.drop(target.storeKey), () => undefined)
}
