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

/** How far a step is, 0 to 1, as its node emits it. */
export interface Progress {
  readonly progress: number
}

/** In steps of a twentieth: what a node emits is kept with its answer. */
const steps = 20

/** The pace of a node: what it emits reaches everybody who waits for the same. */
export function paceOf({
  emit,
  signal,
}: {
  readonly emit: (chunk: Progress) => void
  readonly signal: AbortSignal
}): Pace {
  let told = -1
  return async (done, total) => {
    const step = Math.floor(steps * (total === 0 ? 1 : done / total))
    if (step !== told) emit({ progress: step / steps })
    told = step
    await setImmediate()
    signal.throwIfAborted()
  }
}
