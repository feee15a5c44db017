import type { Engine } from './engine.js'
import { codeOf } from './errors.js'
import type { Found, Look } from './found.js'
import type { Plan } from './plan.js'
import { unreadable, usable } from './reading.js'
import type { Target } from './scope.js'

/**
 * Whether a plain read comes before a load. Where keys are lent, taking a lease costs several times a read, and most
 * values are there. Not for callers who may leave before the store has answered: those begin a flight, which they can leave.
 */
export function looksFirst({ store, settings }: Engine, { signal, timeouts }: Plan): boolean {
  return store.leases !== undefined && signal === undefined && timeouts.hard >= settings.timeouts.store
}

/**
 * What the store has and can be used, or `'failed'`. Callers of one key share the read, unless the key has changed
 * since it began.
 */
export async function look(engine: Engine, target: Target): Promise<Found | 'failed' | undefined> {
  const { storeKey } = target
  let looking = engine.looking.get(storeKey)
  if (looking === undefined) {
    looking = read(engine, storeKey)
    engine.looking.set(storeKey, looking)
    const mine = looking
    void mine.then(() => {
      if (engine.looking.get(storeKey) === mine) engine.looking.delete(storeKey)
    })
  }
  const answer = await looking
  if ('entry' in answer) return usable(engine, target, answer.entry)
  await unreadable(engine, target, answer.error)
  return codeOf(answer.error) === 'ERR_POISONED' ? undefined : 'failed'
}

async function read(engine: Engine, storeKey: string): Promise<Look> {
  try {
    await engine.settle(storeKey)
    return { entry: await engine.guard('get', (store) => store.get(storeKey)) }
  } catch (error) {
    return { error }
  }
}
