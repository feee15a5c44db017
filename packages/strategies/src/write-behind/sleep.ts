import type { Clock } from '@flow-cache/core'

/** Waits for so many milliseconds of the clock; the process waits with it. */
export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(resolve, ms, true))
