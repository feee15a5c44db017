import type { Clock } from '@flow-cache/core'
import { copyOf } from '../guard.js'
import type { Recorded } from './recording.js'
import type { Source } from './streams.js'

/** How fast a recorded stream is given again: at once, as it came, or a chunk every `ms`. */
export type Pace = 'instant' | 'recorded' | { readonly ms: number }

/** The longest pause of a replay at the recorded pace. */
const longestPause = 5_000

/** A recorded stream, once more. The chunks are copies. */
export function playback(recorded: Recorded, pace: Pace, clock: Clock): Source {
  let at = 0
  let stopped = false
  return {
    async next() {
      if (stopped || at >= recorded.chunks.length) return { done: true, value: undefined }
      const pause =
        pace === 'instant'
          ? 0
          : pace === 'recorded'
            ? Math.min(recorded.delays[at] ?? 0, longestPause)
            : pace.ms
      if (pause > 0) await new Promise<void>((done) => void clock.setTimer(done, pause, true))
      return stopped
        ? { done: true, value: undefined }
        : { done: false, value: copyOf(recorded.chunks[at++]) }
    },
    async stop() {
      stopped = true
    },
  }
}
