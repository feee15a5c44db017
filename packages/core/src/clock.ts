/** A timer that was set; opaque. */
export type Timer = unknown

/** Where time comes from. Tests give a fake one. */
export interface Clock {
  /** Milliseconds since the epoch. Never goes back while the process lives. */
  now(): number
  /**
   * Like `now`, but may lag behind by a millisecond, or by as long as one task holds up the event loop.
   * Only asked where an entry has far longer to live. Default: `now`.
   */
  coarse?(): number
  /**
   * Calls back once after `ms`, which may exceed 2³¹.
   *
   * `keepAlive`: whether the process waits for it. True for a timer somebody awaits.
   */
  setTimer(callback: () => void, ms: number, keepAlive: boolean): Timer
  clearTimer(timer: Timer): void
}

/** The longest delay a platform's timer takes; a longer one fires at once. */
const longest = 2 ** 31 - 1

interface SystemTimer {
  handle: ReturnType<typeof setTimeout>
}

function arm(
  timer: SystemTimer | undefined,
  callback: () => unknown,
  ms: number,
  keepAlive: boolean,
): SystemTimer {
  const handle =
    ms > longest
      ? setTimeout(() => arm(armed, callback, ms - longest, keepAlive), longest)
      : setTimeout(callback, ms)
  if (!keepAlive) (handle as { unref?: () => void }).unref?.()
  const armed = timer ?? { handle }
  armed.handle = handle
  return armed
}

/**
 * An instant near which this process began, in whole milliseconds: what small integers are counted from. Edge workers
 * tell no time at import; there it is 0, which is right too, and larger.
 */
export const processStart: number = Date.now()

let origin: number | undefined
let coarseNow = 0

function now(): number {
  // The wall clock is read once, and not at import: edge workers have none then. It may be set back; this may not.
  origin ??= Date.now() - performance.now()
  return origin + performance.now()
}

function coarse(): number {
  if (coarseNow === 0) {
    coarseNow = now()
    arm(undefined, () => (coarseNow = 0), 1, false)
  }
  return coarseNow
}

/** The platform's time: the wall clock as it stood at the first call, and the monotonic one from there. */
export const systemClock: Clock = {
  now,
  // An edge worker's timers end with the request that set them: nothing would forget the time, and nothing expire.
  coarse: processStart === 0 ? now : coarse,
  setTimer: (callback, ms, keepAlive) => arm(undefined, callback, ms, keepAlive),
  clearTimer: (timer) => clearTimeout((timer as SystemTimer | undefined)?.handle),
}
