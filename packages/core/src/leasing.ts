import { attempt, chain } from './awaitable.js'
import { deadline } from './deadlines.js'
import type { Engine } from './engine.js'
import { type Flight, startOver } from './flight.js'
import type { Found } from './found.js'
import { randomId } from './random.js'
import { usable } from './reading.js'
import type { Acquired, Awaitable } from './store.js'

/** The pauses of a process that waits for another one's load: the first, doubled up to the longest, in milliseconds. */
const firstPause = 5
const longestPause = 80

/**
 * The fresh entry, or the right to load it: waits while another process has that. Sets `flight.lease` when the
 * right is this flight's; the answer is then the entry to replace, if any. `onTaken`: another process has it. `failed`
 * answers for a store that fails.
 */
export function acquire(
  engine: Engine,
  flight: Flight,
  onTaken: () => void,
  failed: (error: unknown) => Awaitable<Found | undefined>,
): Awaitable<Found | undefined> {
  const token = randomId()
  return attempt(
    () =>
      chain(engine.debts.settle(flight.request.storeKey), () => ask(engine, flight, token, flight.forced)),
    (got) => {
      engine.inVain = got.status === 'fresh' ? 0 : engine.inVain + 1
      if (got.status === 'leased') return leased(engine, flight, token, got)
      return compete(engine, flight, token, got, onTaken).catch(failed)
    },
    failed,
  )
}

function ask(engine: Engine, flight: Flight, token: string, always: boolean): Awaitable<Acquired> {
  const { storeKey, among = 1 } = flight.request
  return engine.guard(
    'take the lease',
    ({ leases }) => leases!.acquire(storeKey, token, engine.settings.leaseTerm, always),
    engine.timeoutFor(among),
  )
}

function leased(engine: Engine, flight: Flight, token: string, got: Acquired): Awaitable<Found | undefined> {
  flight.lease = token
  flight.endLease = () => release(engine, flight)
  renew(engine, flight, token)
  return usable(engine, flight.request, got.entry)
}

/** Somebody else has the right to load, or has loaded. */
async function compete(
  engine: Engine,
  flight: Flight,
  token: string,
  got: Acquired,
  onTaken: () => void,
): Promise<Found | undefined> {
  const { random } = engine.settings
  let always = flight.forced
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    if (got.status === 'leased') return leased(engine, flight, token, got)
    const found = await usable(engine, flight.request, got.entry)
    if (flight.settled) return found
    if (got.status === 'taken') {
      // Somebody else refreshes it; whoever joined meanwhile asks again.
      if (flight.background) throw startOver
      flight.stale = found
      flight.hasRead()
      onTaken()
      const ms = Math.min(pause * (0.5 + random() / 2), Math.max(1, got.remainingMs))
      await new Promise<void>((resolve) => {
        flight.endWait = deadline(engine.clock, ms, true, resolve)
      })
    } else if (found === undefined) {
      // Fresh to the store, but its tags or its layout are of yesterday.
      always = true
    } else return found
    got = await ask(engine, flight, token, always)
  }
}

/** Extends the lease while the load lasts. A lease that was lost fences the load. */
function renew(engine: Engine, flight: Flight, token: string): void {
  const again = (): void => {
    if (flight.settled || flight.lease !== token) return
    const { storeKey } = flight.request
    const { leaseTerm } = engine.settings
    void attempt(
      () => engine.guard('renew the lease', ({ leases }) => leases!.renew(storeKey, token, leaseTerm)),
      (held) => {
        if (held) renew(engine, flight, token)
        else flight.fenced = true
      },
      // The store may be back before the term is over; if not, the commit fails.
      () => renew(engine, flight, token),
    )
  }
  if (!flight.settled) flight.endWait = engine.renewals.add(again)
}

/** Gives an unused right back. A store that fails lets it end by its term. */
export function release(engine: Engine, flight: Flight): void {
  const token = flight.lease
  if (token === undefined) return
  flight.lease = undefined
  const { storeKey } = flight.request
  engine.behind(engine.tryTo('release the lease', ({ leases }) => leases!.release(storeKey, token)))
}
