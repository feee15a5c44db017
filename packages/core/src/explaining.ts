import type { Engine } from './engine.js'
import { graceOf } from './entry.js'
import { userTags } from './load-context.js'
import { give } from './copy.js'
import type { Found } from './found.js'
import { find } from './reading.js'
import type { Scope, Target } from './scope.js'

/** An entry as people see it: durations instead of instants. */
export interface EntryView<V = unknown> {
  readonly value: V
  readonly state: 'fresh' | 'stale'
  /** The tier that has it. */
  readonly tier: string
  readonly ageMs: number
  /** How much longer it is fresh; `0` for a stale one. */
  readonly ttlMs: number
  readonly tags: readonly string[]
}

/** What a cache knows of a key. */
export interface Explanation {
  readonly key: string
  readonly namespace: string
  /** The key as the store has it. */
  readonly storeKey: string
  readonly state: 'fresh' | 'stale' | 'absent'
  readonly tier: string | undefined
  readonly ageMs: number | undefined
  readonly ttlMs: number | undefined
  /** How long after that it may stand in for a failing load. */
  readonly graceMs: number | undefined
  /** What loading it took: of a load of several keys, its share. */
  readonly loadMs: number | undefined
  /** The tags whose invalidation would end it. */
  readonly tags: readonly string[]
  /** The load under way, if any. */
  readonly loading:
    { readonly sinceMs: number; readonly waiting: number; readonly background: boolean } | undefined
  /** The failure that keeps it from being loaded now, if any. */
  readonly heldOff: { readonly forMs: number; readonly error: unknown } | undefined
}

export function viewOf(engine: Engine, scope: Scope, found: Found): EntryView {
  const now = engine.clock.now()
  const { entry } = found
  return {
    value: give(found.value, scope.plan),
    state: found.state,
    tier: engine.tierName(entry.tier),
    ageMs: Math.max(0, Math.round(now - entry.createdAt)),
    ttlMs: Math.max(0, Math.ceil(entry.staleAt - now)),
    tags: userTags(entry, scope),
  }
}

/** Everything that is known of a key, read like a `get` that nobody counts. */
export async function explain(engine: Engine, target: Target): Promise<Explanation> {
  const { scope, key, storeKey } = target
  const found = await find(engine, target)
  const view = found && viewOf(engine, scope, found)
  const now = engine.clock.now()
  const flight = engine.flights.get(storeKey)
  const failure = engine.failures.get(storeKey, now)
  return {
    key,
    namespace: scope.namespace,
    storeKey,
    state: view?.state ?? 'absent',
    tier: view?.tier,
    ageMs: view?.ageMs,
    ttlMs: view?.ttlMs,
    graceMs: found && Math.round(graceOf(found.entry)),
    loadMs: found?.entry.loadMs,
    tags: view?.tags ?? [],
    loading: flight && {
      sinceMs: Math.round(now - flight.startedAt),
      waiting: flight.waiting,
      background: flight.background,
    },
    heldOff: failure && { forMs: Math.ceil(failure.until - now), error: failure.error },
  }
}
