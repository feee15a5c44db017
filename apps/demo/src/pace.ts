import { setImmediate } from 'node:timers/promises'

/**
 * What a long step calls between two batches of work: it shows how far the step is, gives the event loop a turn
 * (so that a progress bar moves and Ctrl-C arrives), and throws once the run is cancelled.
 */
export type Pace = (done: number, total: number) => Promise<void>

/** A pace that only gives the event loop its turn. */
export const quietPace: Pace = () => setImmediate()

/** A pace for a part of a step, which takes the whole of it from one share to another. */
export function partOf(pace: Pace, from: number, to: number): Pace {
  return (done, total) => pace(from + (to - from) * (total === 0 ? 1 : done / total), 1)
}
