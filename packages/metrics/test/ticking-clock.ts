import type { Clock } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'

/** A clock that says what it is told, at once: nothing waits for it. */
export interface TickingClock extends Clock {
  pass(ms: number): void
}

export function tickingClock(): TickingClock {
  const { setTimer, clearTimer } = fakeClock()
  let now = Date.UTC(2024, 0, 1)
  return {
    now: () => now,
    pass(ms) {
      now += ms
    },
    setTimer,
    clearTimer,
  }
}
