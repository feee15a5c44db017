import { createCache, type Cache } from '../../cache.js'
import type { Store } from '../../store.js'
import { ConformanceError } from '../conformance/store-case.js'
import { type FakeClock, fakeClock } from '../fake-clock.js'
import { scheduler, type Scheduler } from '../scheduler.js'
import { Chronicle } from './chronicle.js'
import { type KindOfChange, Player } from './player.js'

/** What one run is played with. */
export interface InterleavingOptions {
  readonly seed: number
  /** The stores of one process or of several that share a server, on that clock; a store that is far away waits for its turn. */
  readonly stores: (clock: FakeClock, order: Scheduler) => readonly Store[]
  /** Changes that are not made. Of a pattern, a store that fails may leave a part. Default: none. */
  readonly without?: readonly KindOfChange[]
}

/**
 * Plays reads, loads and changes of three keys on a cache over each store, in an order that the seed decides, down to
 * when a store's call takes effect and when it answers. A caller who was given what had been changed before it asked, a
 * load that never ends and a timer that is left are a {@link ConformanceError} that says so. Different seeds are different orders; a thousand take
 * about a second.
 */
export async function playInterleaving({ seed, stores, without = [] }: InterleavingOptions): Promise<void> {
  const clock = fakeClock()
  const order = scheduler(seed)
  const caches = stores(clock, order).map((store) =>
    createCache({
      store,
      clock,
      random: order.random,
      ttl: 300,
      grace: '1h',
      errorTtl: 0,
      // A scheduled store is never late.
      timeouts: { store: '1h', load: '2h' },
      leaseTerm: '2h',
    }),
  )
  const failed = (what: string): never => {
    throw new ConformanceError(`seed ${seed}: ${what}`)
  }
  const chronicle = new Chronicle(caches.length, () => order.taken)
  const player = new Player(caches, order, chronicle, without)
  await order.run(player.tasks(), () => clock.advance(order.random() < 0.2 ? 400 : 7))
  if (chronicle.violations.length > 0) failed(chronicle.violations.join('; '))
  for (const cache of caches) {
    const end = (step: (cache: Cache) => Promise<void>): Promise<void> =>
      order.run([() => step(cache)], () => clock.advance(10))
    await end((cache) => cache.drain())
    if (cache.stats().loading > 0) failed('a load has not ended')
    await end((cache) => cache.close())
  }
  if (clock.pending > 0) failed(`${clock.pending} timers are left`)
}
