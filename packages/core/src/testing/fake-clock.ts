import type { Clock } from '../clock.js'

/** A clock that stands until it is moved. */
export interface FakeClock extends Clock {
  /**
   * Moves time by `ms`: every timer due fires at its instant, in order, and what waits for it runs before the
   * next one fires.
   */
  advance(ms: number): Promise<void>
  /** How many timers are set; `0` when nothing was leaked. */
  readonly pending: number
}

interface FakeTimer {
  readonly at: number
  readonly callback: () => void
}

/** Lets everything run that waits for promises alone. */
export async function settle(turns = 100): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await undefined
}

/** A clock for tests, at `start` milliseconds since the epoch (default: the first of January 2024). */
export function fakeClock(start: number = Date.UTC(2024, 0, 1)): FakeClock {
  let now = start
  const timers = new Set<FakeTimer>()

  const nextDue = (until: number): FakeTimer | undefined => {
    let next: FakeTimer | undefined
    for (const timer of timers)
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer
    return next
  }

  return {
    now: () => now,
    setTimer(callback, ms) {
      const timer = { at: now + Math.max(0, ms), callback }
      timers.add(timer)
      return timer
    },
    clearTimer: (timer) => void timers.delete(timer as FakeTimer),
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.callback()
        await settle()
      }
      now = until
      await settle()
    },
    get pending() {
      return timers.size
    },
  }
}
