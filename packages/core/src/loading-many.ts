import { attempt } from './awaitable.js'
import { show, wrong } from './checks.js'
import { deferred } from './deferred.js'
import type { Engine } from './engine.js'
import { CacheError } from './errors.js'
import { type Request, startOver } from './flight.js'
import type { Found } from './found.js'
import { loadOptions } from './load-context.js'
import type { LoadContext, Loader, LoadMany } from './loader.js'
import { calling } from './flying.js'
import { joinable, load, serve } from './loading.js'
import type { LoadOptions } from './options.js'
import { partsOf } from './parts.js'
import type { Plan } from './plan.js'
import { find, usable } from './reading.js'
import type { Target } from './scope.js'
import type { Awaitable } from './store.js'
import { runIn } from './watcher.js'

/** The keys, each once. */
export function each(keys: Iterable<string>): readonly string[] {
  if (typeof keys === 'string' || typeof keys?.[Symbol.iterator] !== 'function') {
    wrong('keys', 'an array or another iterable of strings', keys)
  }
  return [...new Set(keys)]
}

/** What the store has of several keys, in one call where it can. */
export async function findMany(
  engine: Engine,
  wanted: readonly Target[],
): Promise<readonly (Found | undefined)[]> {
  const parts = partsOf(wanted)
  if (parts.length === 1) return findPart(engine, wanted)
  const found: (Found | undefined)[] = []
  for (const part of parts) found.push(...(await findPart(engine, part)))
  return found
}

function findPart(engine: Engine, wanted: readonly Target[]): Awaitable<readonly (Found | undefined)[]> {
  const { batch } = engine.store
  // By themselves, too, where one of them does not decode, so that it alone is a miss, or the store fails.
  const each = (): Promise<(Found | undefined)[]> => Promise.all(wanted.map((target) => find(engine, target)))
  if (batch === undefined || engine.debts.owes) return each()
  return attempt(
    () => {
      const storeKeys = wanted.map(({ storeKey }) => storeKey)
      return engine.guard('get', () => batch.getMany(storeKeys), engine.timeoutFor(storeKeys.length))
    },
    (entries) => Promise.all(wanted.map((target, i) => usable(engine, target, entries[i]))),
    each,
  )
}

/** The values of several keys: `loadMany` is asked once for all that nobody has or is getting. */
export async function loadAll<V>(
  engine: Engine,
  wanted: readonly Target[],
  loadMany: LoadMany<V>,
  plan: Plan,
): Promise<Map<string, V>> {
  const reads = plan.forceRefresh !== true && (plan.skip === undefined || plan.skip === 'write')
  // Now, while the synchronous part of a loader that asks for its own keys is known.
  if (reads && engine.flights.size > 0) for (const { storeKey } of wanted) joinable(engine, storeKey)
  const found = reads ? await findMany(engine, wanted) : []
  const partOf = gathering(engine, wanted.length, loadMany, plan)
  const result = new Map<string, V>()
  const values = await Promise.allSettled(
    wanted.map((target, i) => {
      const { scope, key, storeKey } = target
      const { loader, leave, abort } = partOf(target)
      const request: Request = {
        scope,
        key,
        storeKey,
        plan,
        found: found[i],
        loader,
        onWait: leave,
        onAbort: abort,
        looked: reads,
        among: wanted.length,
      }
      if (engine.store.leases === undefined || found[i]?.state !== 'fresh') {
        return load(engine, request).finally(leave)
      }
      leave()
      return serve(engine, request, found[i])
    }),
  )
  values.forEach((value, i) => {
    if (value.status === 'fulfilled') result.set(wanted[i]!.key, value.value as V)
    else if (value.reason !== startOver) throw value.reason
  })
  return result
}

/**
 * Holds the loads of one `getOrSetMany` until each of its keys either needs the loader or is known not to, and
 * asks for all that do at once. A key that waits for somebody else's load is decided; should it need the loader
 * after all, it asks alone.
 *
 * Answers with one key's part: its loader, what to call when it is known that the loader is not needed now, and what to
 * call when its load is given up. When all of them are, so is the origin's.
 */
function gathering<V>(
  engine: Engine,
  size: number,
  loadMany: LoadMany<V>,
  plan: Plan,
): (target: Target) => {
  readonly loader: Loader<unknown>
  readonly leave: () => void
  readonly abort: (reason: unknown) => void
} {
  const options = loadOptions(plan)
  const controller = new AbortController()
  /** As `loadMany` finds them; most leave them as they are. */
  const before = loadOptions(plan)
  let changed = false
  let undecided = size
  let loading = 0
  /** The keys that need the loader and have not been asked for. */
  let gathered: Target[] = []
  let answer = deferred<ReadonlyMap<string, unknown>>()

  const ask = (): void => {
    const targets = gathered
    if (targets.length === 0) return
    const keys = targets.map(({ key }) => key)
    const load = async (): Promise<ReadonlyMap<string, unknown>> => {
      const flights = targets.flatMap(({ storeKey }) => engine.flights.get(storeKey) ?? [])
      // A copy: whoever takes keys off the list does no harm.
      const run = (): unknown => loadMany([...keys], { signal: controller.signal, options })
      const watched = (): unknown => runIn(engine.watchers, keys, targets[0]!.scope.namespace, run)
      const loaded = inOrder(keys, await calling(engine, flights, watched))
      changed ||= isChanged(options, before)
      return loaded
    }
    const { resolve } = answer
    gathered = []
    answer = deferred()
    resolve(load())
  }

  return (target) => {
    const { key } = target
    let decided = false
    let started = false
    const leave = (): void => {
      if (!decided && --undecided === 0) ask()
      decided = true
    }
    const abort = (reason: unknown): void => {
      if (started && --loading === 0) controller.abort(reason)
    }
    const loader = async (context: LoadContext): Promise<unknown> => {
      loading++
      started = true
      gathered.push(target)
      const { promise } = answer
      if (decided) ask()
      else leave()
      const loaded = await promise
      if (changed) Object.assign(context.options, options)
      if (!loaded.has(key)) throw startOver
      return loaded.get(key)
    }
    return { loader, leave, abort }
  }
}

/** Whether somebody has changed the options. */
function isChanged({ tags, ...rest }: LoadOptions, before: LoadOptions): boolean {
  const names = Object.keys({ ...before, ...rest }) as (keyof typeof rest)[]
  const same = (one: string, i: number): boolean => one === before.tags![i]
  return (
    names.some((name) => name in rest && rest[name] !== before[name]) ||
    tags?.length !== before.tags!.length ||
    !tags.every(same)
  )
}

function inOrder(keys: readonly string[], answer: unknown): ReadonlyMap<string, unknown> {
  if (answer instanceof Map) return answer
  if (Array.isArray(answer) && answer.length === keys.length)
    return new Map(keys.map((key, i) => [key, answer[i]]))
  const got = Array.isArray(answer) ? `an array of ${answer.length}` : show(answer)
  throw new CacheError(
    'ERR_LOADER_RESULT',
    `loadMany must answer with a Map or an array of ${keys.length}, got ${got}`,
  )
}
