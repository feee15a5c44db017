import { ignore } from './awaitable.js'
import { show } from './checks.js'
import type { Timer } from './clock.js'
import type { Engine } from './engine.js'
import { CacheError } from './errors.js'
import type { Flight, Landed } from './flight.js'
import { giveUp } from './flying.js'
import { onAbort } from './on-abort.js'
import type { Plan } from './plan.js'

/**
 * One caller's wait for a flight. Each has its own patience and its own signal; the flight lives while anybody
 * waits, and also when those who left only lost patience.
 */
export function wait(engine: Engine, flight: Flight, plan: Plan): Promise<Landed> {
  const { signal } = plan
  const { soft, hard } = plan.timeouts
  flight.waiting++
  const { landed } = flight
  if (soft === Infinity && hard === Infinity && signal === undefined) return landed

  return new Promise<Landed>((settle) => {
    const timers: Timer[] = []
    const after = (ms: number, callback: () => void): void => {
      if (ms === 0) callback()
      else if (ms < Infinity) timers.push(engine.clock.setTimer(callback, ms, true))
    }
    let over = false
    const end = (outcome: Landed): void => {
      over = true
      for (const timer of timers) engine.clock.clearTimer(timer)
      unfollow?.()
      settle(outcome)
    }
    /** Leaves the load to finish behind. */
    const leave = (outcome: Landed): void => {
      flight.waiting--
      flight.kept = true
      handOver(engine, flight)
      end(outcome)
    }
    const serveStale = (): boolean => {
      const stale = over || flight.settled ? undefined : flight.standIn(engine.clock)
      if (stale !== undefined) leave({ stale, reason: 'timeout' })
      return stale !== undefined
    }
    const aborted = (): void => {
      end({ failure: signal!.reason })
      leaveBy(engine, flight, signal!)
    }
    const unfollow = signal && onAbort(signal, aborted)
    // A stale value can only be known once the store has been asked.
    after(soft, () => void flight.read.then(serveStale))
    after(hard, () => {
      if (serveStale()) return
      const late = new CacheError(
        'ERR_TIMEOUT',
        `no value of ${show(flight.request.key)} within timeouts.hard (${hard} ms)`,
        flight.request,
      )
      leave({ failure: late })
    })
    void landed.then(end)
    // By the synchronous part of the loader, which has run by now where the store answers at once.
    if (signal?.aborted === true) aborted()
  })
}

/** Takes leave of a flight that nobody needs to finish for the one who leaves. */
function leaveBy(engine: Engine, flight: Flight, signal: AbortSignal): void {
  if (--flight.waiting === 0 && !flight.kept) giveUp(engine, flight, signal.reason)
}

/** One caller's wait for loads of its own. `true`: it has left them, because its signal aborted. */
export function waitForAll(
  engine: Engine,
  flights: readonly Flight[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let open = flights.length
  return new Promise((resolve) => {
    const leave = (): void => {
      resolve(true)
      for (const flight of flights) leaveBy(engine, flight, signal!)
    }
    const unfollow = signal && onAbort(signal, leave)
    const onEnd = (): void => {
      if (--open > 0) return
      unfollow?.()
      resolve(false)
    }
    for (const flight of flights) {
      flight.waiting++
      flight.onEnd = onEnd
    }
  })
}

/** Tells the platform of a load nobody waits for. */
export function handOver(engine: Engine, flight: Flight): void {
  const { plan, key } = flight.request
  try {
    plan.waitUntil?.(flight.landed.then(ignore))
  } catch (error) {
    engine.report(error, 'waitUntil', key)
  }
}
