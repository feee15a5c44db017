import { type Clock, type Duration, type Timer, toMs } from '@flow-cache/core'
import { Cron } from 'croner'
import type { WarmReport } from './options.js'

/** Runs that come by themselves. */
export interface Schedule {
  /** When the next one begins, or `undefined` if there is none. */
  readonly next: Date | undefined
  /** Whether one is under way. */
  readonly running: boolean
  /** How many times it was time while the one before was under way: those are left out. */
  readonly missed: number
  /** What came of the last one: its report, or the error that ended it. */
  readonly last: WarmReport | { readonly error: unknown } | undefined
  /** Ends it; one that is under way is aborted. */
  stop(): void
}

/**
 * Begins `work` whenever it is time: `when` is a cron expression (`'0 4 * * *'`, in the process's time zone) or an
 * interval. A run that is under way when it is time again is left to end, and the next one waits for its own time.
 * The process does not live on for a schedule.
 */
export function startSchedule(
  when: string | number,
  work: (signal: AbortSignal) => Promise<WarmReport>,
  clock: Clock,
): Schedule {
  const after = timesOf(when)
  const stopped = new AbortController()
  let timer: Timer
  let next: number | undefined
  let running = false
  let missed = 0
  let last: Schedule['last']

  const arm = (): void => {
    const now = clock.now()
    next = after(next ?? now, now)
    if (next !== undefined) timer = clock.setTimer(due, Math.max(0, next - now), false)
  }
  const due = (): void => {
    if (running) missed++
    else void begin()
    arm()
  }
  const begin = async (): Promise<void> => {
    running = true
    try {
      last = await work(stopped.signal)
    } catch (error) {
      last = { error }
    } finally {
      running = false
    }
  }

  arm()
  if (next === undefined) throw new RangeError(`when must be a time that comes, got '${when}'`)
  return {
    get next() {
      return next === undefined ? undefined : new Date(next)
    },
    get running() {
      return running
    },
    get missed() {
      return missed
    },
    get last() {
      return last
    },
    stop() {
      clock.clearTimer(timer)
      next = undefined
      stopped.abort(new Error('the schedule was stopped'))
    },
  }
}

const wanted =
  "a cron expression such as '0 4 * * *' (minute, hour, day, month, weekday) or an interval such as '10m'"

/** What may be wrong with a cron expression, where that can be told by its length. */
function hintFor(when: string): string {
  const fields = when.trim().split(/\s+/).length
  return fields === 5 ? '' : `, which has ${fields} fields`
}

/** The instant that comes after one, and after now. */
function timesOf(when: string | number): (last: number, now: number) => number | undefined {
  if (typeof when === 'string' && when.trim().includes(' ')) {
    let cron: Cron
    try {
      cron = new Cron(when, { paused: true })
    } catch (error) {
      throw new TypeError(`when must be ${wanted}, got '${when}'${hintFor(when)}`, { cause: error })
    }
    return (_, now) => cron.nextRun(new Date(now))?.getTime()
  }
  const every = toMs(when as Duration, 'when')
  if (every === 0 || every === Infinity) throw new RangeError(`when must be above 0 and finite, got ${when}`)
  // From the last time on, so that it does not drift; never in a bunch for times that were slept through.
  return (last, now) => last + every * Math.max(1, Math.ceil((now - last + 1) / every))
}
