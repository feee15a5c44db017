import { chain, promised } from './awaitable.js'
import type { Engine } from './engine.js'
import type { Entry } from './entry.js'
import { codeOf } from './errors.js'
import type { Found } from './found.js'
import type { Plan } from './plan.js'
import { unreadable, usable } from './reading.js'
import type { Target } from './scope.js'
import type { Awaitable } from './store.js'

/** After how many reads in a row that found nothing there is no look, until one finds something. */
const mostInVain = 64

/**
 * Whether a plain read comes before a load. Where keys are lent, taking a lease costs several times a read, and most
 * values are there; while none is, it is a trip for nothing. Not for callers who may leave before the store has
 * answered: those begin a flight, which they can leave.
 */
export function looksFirst({ store, settings, inVain }: Engine, { signal, timeouts }: Plan): boolean {
  const mayStay = signal === undefined && timeouts.hard >= settings.timeouts.store
  return store.leases !== undefined && mayStay && inVain < mostInVain
}

/**
 * `next` of what the store has and can be used, or of `'failed'`. Callers of one key share the read, unless the key
 * has changed since it began.
 */
export function look<T>(
  engine: Engine,
  target: Target,
  next: (seen: Found | 'failed' | undefined) => Awaitable<T>,
): Promise<T> {
  const { storeKey } = target
  let looking = engine.looking.get(storeKey)
  if (looking === undefined) {
    looking = read(engine, storeKey)
    engine.looking.set(storeKey, looking)
  }
  const mine = looking
  const over = (): void => {
    if (engine.looking.get(storeKey) === mine) engine.looking.delete(storeKey)
  }
  return mine.then(
    (entry) => {
      over()
      return chain(usable(engine, target, entry), next)
    },
    (error: unknown) => {
      over()
      return chain(unreadable(engine, target, error), () =>
        next(codeOf(error) === 'ERR_POISONED' ? undefined : 'failed'),
      )
    },
  )
}

function read(engine: Engine, storeKey: string): Promise<Entry | undefined> {
  return promised(() =>
    chain(engine.debts.settle(storeKey), () => engine.guard('get', (store) => store.get(storeKey))),
  )
}
