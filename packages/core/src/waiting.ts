import { ignore } from './awaitable.js'
import { show } from './checks.js'
import type { Timer } from './clock.js'
import type { Engine } from './engine.js'
import { CacheError } from './errors.js'
import type { Flight, Landed } from './flight.js'
import { giveUp } from './flying.js'
import type { Found } from './found.js'
import { onAbort } from './on-abort.js'
import type { Plan } from './plan.js'
import type { Awaitable } from './store.js'
import { anyDead } from './tag-table.js'

/** What a caller's wait ended with: what the flight brought, or a stale value in its place. */
export type Waited =
  Landed | { readonly stale: Found; readonly reason: StaleReason; readonly error?: unknown }

type StaleReason = 'error' | 'timeout' | 'held-off'

/**
 * One caller's wait for a flight. Each has its own patience and its own signal; the flight lives while anybody
 * waits, and also when those who left only lost patience.
 */
export function wait(engine: Engine, flight: Flight, plan: Plan): Promise<Waited> {
  const { signal } = plan
  const { soft, hard } = plan.timeouts
  flight.waiting++
  const landed = flight.landed.catch((error: unknown): Waited => {
    const stale = staleOf(engine, flight)
    if (stale === undefined) throw error
    return { stale, reason: flight.loadedAt === 0 ? 'held-off' : 'error', error }
  })
  if (soft === Infinity && hard === Infinity && signal === undefined) return landed

  return new Promise<Waited>((settle) => {
    const timers: Timer[] = []
    const after = (ms: number, callback: () => void): void => {
      if (ms === 0) callback()
      else if (ms < Infinity) timers.push(engine.clock.setTimer(callback, ms, true))
    }
    let over = false
    const end = (outcome: Awaitable<Waited>): void => {
      over = true
      for (const timer of timers) engine.clock.clearTimer(timer)
      unfollow?.()
      settle(outcome)
    }
    /** Leaves the load to finish behind. */
    const leave = (outcome: Awaitable<Waited>): void => {
      flight.waiting--
      flight.kept = true
      handOver(engine, flight)
      end(outcome)
    }
    const serveStale = (): boolean => {
      const stale = over || flight.settled ? undefined : staleOf(engine, flight)
      if (stale !== undefined) leave({ stale, reason: 'timeout' })
      return stale !== undefined
    }
    const aborted = (): void => {
      end(Promise.reject(signal!.reason))
      if (--flight.waiting === 0 && !flight.kept) giveUp(engine, flight, signal!.reason)
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
      leave(Promise.reject(late))
    })
    landed.finally(() => end(landed)).catch(ignore)
    // By the synchronous part of the loader, which has run by now where the store answers at once.
    if (signal?.aborted === true) aborted()
  })
}

/** Tells the platform of a load nobody waits for. */
export function handOver(engine: Engine, flight: Flight): void {
  const { plan, key } = flight.request
  try {
    plan.waitUntil?.(flight.landed.catch(ignore))
  } catch (error) {
    engine.report(error, 'waitUntil', key)
  }
}

/** The stale value of a flight, if it may still be served. */
function staleOf(engine: Engine, flight: Flight): Found | undefined {
  const found = flight.stale
  if (found === undefined || flight.fenced) return undefined
  const { staleAt, expiresAt, tags } = found.entry
  // Without grace nothing stands in for a load that was asked for.
  if (expiresAt === staleAt || engine.clock.now() >= expiresAt) return undefined
  return anyDead(tags) ? undefined : found
}
