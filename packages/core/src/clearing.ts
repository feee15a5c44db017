import { attempt, chain, ignore, isPromise } from './awaitable.js'
import type { Engine } from './engine.js'
import { keysOf, listed, matcher } from './listing.js'
import { checkTags } from './plan.js'
import type { Scope } from './scope.js'
import type { Awaitable } from './store.js'
import { removeAll } from './writing.js'

/** Ends every entry of this namespace with any of the tags. One write a tag, however many entries. */
export function invalidateTags(engine: Engine, scope: Scope, tags: readonly string[]): Awaitable<void> {
  checkTags(tags)
  engine.assertOpen()
  return chain(
    invalidate(
      engine,
      tags.map((tag) => scope.keyIn(tag)),
    ),
    () => {
      engine.events.emit('invalidate', { namespace: scope.namespace, tags })
    },
  )
}

/** Whether the store took note; where it fails it is told of later. In this process they are invalid either way. */
function invalidate(engine: Engine, names: readonly string[]): Awaitable<boolean> {
  return attempt(
    () => {
      try {
        return engine.tags.invalidate(names)
      } finally {
        // Also where the store is left alone: here they are invalid either way.
        engine.fenceOutdated(names)
      }
    },
    () => true,
    (error) => {
      engine.debts.retryLater()
      engine.tolerate(error, 'invalidate tags')
      return false
    },
  )
}

/** How long a store may take to give space back, in milliseconds. */
const sweepTimeout = 60_000

/**
 * Ends every entry of the scope. Where epochs are agreed on with other processes they end the entries, in one
 * write, and what follows only gives space back; the root is cleared in the store.
 */
export function clear(engine: Engine, scope: Scope): Awaitable<void> {
  engine.assertOpen()
  const covers = (storeKey: string): boolean => scope.covers(storeKey)
  const { store } = engine
  const shared = store.tags !== undefined
  const sweep = (prefix?: string): Awaitable<void> =>
    attempt(
      () => engine.guard('clear', (store) => store.clear(prefix), shared ? sweepTimeout : undefined),
      ignore,
      (error) => {
        if (prefix === undefined && !shared) engine.debts.oweAll()
        engine.tolerate(error, 'clear')
      },
    )
  const inStore = (): Awaitable<unknown> => {
    if (scope.prefix === '') {
      if (!shared) {
        engine.local.alone?.clear()
        return sweep()
      }
      return chain(invalidate(engine, scope.epochs), (ended) => (ended ? sweep() : undefined))
    }
    const ended = invalidate(engine, [scope.prefix])
    // Where space does not come back by itself, as entries are looked at or end, it is given back now.
    if (store.local !== undefined || shared) return ended
    return chain(sweep(scope.prefix), () => sweep(`@${scope.namespace}/`))
  }
  return chain(engine.order.handed(), () =>
    chain(engine.changeWhere(covers, 'clear', inStore), () => {
      engine.events.emit('clear', { namespace: scope.namespace })
    }),
  )
}

/** Removes the keys of this namespace that match, and tells how many. Namespaces within are not touched. */
export async function clearPattern(engine: Engine, scope: Scope, glob: string): Promise<number> {
  const matches = matcher(scope, glob)
  engine.assertOpen()
  const keys = keysOf(engine, 'clearPattern')
  let removed = 0
  const sweep = async (): Promise<void> => {
    for await (const some of listed(keys, scope, glob)) {
      const matching = some.filter(matches)
      if (matching.length === 0) continue
      const count = engine.guard('delete', (store) => removeAll(store, matching))
      removed += isPromise(count) ? await count : count
    }
  }
  await engine.order.handed()
  await engine.changeWhere(matches, 'clear', sweep)
  engine.events.emit('clear', { namespace: scope.namespace, pattern: glob })
  return removed
}
