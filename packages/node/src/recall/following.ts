import { isKept, type Kept } from '../answer.js'
import type { Status } from '../cache-info.js'
import type { NodeResult } from '../node.js'
import type { Streaming } from '../run.js'
import { type Source, streamOf } from '../stream/streams.js'
import { free } from './books.js'
import type { Answer, Question } from './call.js'
import type { Gone } from './keeping.js'
import type { Seat } from './seat.js'
import type { Setup } from './setup.js'

/**
 * An answer whose stream is still going on, read from its first chunk. `undefined` where its beginning was too long to
 * be kept for those who come late.
 */
export function follow(
  { books, clock }: Setup,
  { call, key, began }: Question,
  streaming: Streaming,
  at: {
    readonly seat: Seat
    /** Whether this caller began the run. */
    readonly mine: boolean
    /** Resolves to what was kept, when the stream has ended. */
    readonly whole: Promise<Kept | Gone>
  },
): Answer | undefined {
  const { seat, mine, whole } = at
  const reader = streaming.recording.buffer.reader()
  if (reader === undefined) return undefined
  const { signal } = seat.leaving
  const leave = (): void => reader.leave(signal.reason)
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  const source: Source = {
    async next() {
      const result = await reader.next()
      if (result.done === true) seat.stay()
      return result
    },
    stop: async (reason) => seat.leaving.abort(reason ?? new Error('nobody reads it')),
  }
  const status: Status = !mine ? 'shared' : call.control.mode === 'refresh' ? 'refresh' : 'miss'
  const lookupMs = mine ? 0 : clock.now() - began
  void whole.then(
    (value) => {
      books.savings.answered(call.nodeId, status, isKept(value, key) ? value.cost : free)
      books.savings.overhead(call.nodeId, lookupMs)
    },
    () => books.savings.answered(call.nodeId, status, free),
  )
  const result = { ...streaming.result, output: streamOf(source, streaming.kind) } as NodeResult
  return { result, effects: streaming.effects, info: { status, key, lookupMs } }
}
