import { cloneOf, type DoNotCache, doNotCache, type LoadContext, toMs } from '@flow-cache/core'
import type { Kept } from '../answer.js'
import { keyFor } from '../key.js'
import type { NodeFailure } from '../node.js'
import type { Ran, Run, Streaming } from '../run.js'
import type { Recorded } from '../stream/recording.js'
import type { Question } from './call.js'
import { isWorthKeeping, withChunks } from './checking.js'
import type { Setup } from './setup.js'
import { Failed, threw } from './step-errors.js'

/** Stands for a run of which nothing can be given any more to those who come late. */
export interface Gone {
  readonly gone: true
}

/** The one there is. */
export const gone: Gone = Object.freeze({ gone: true })

/** Of anything the cache answered with. */
export const isGone = (value: unknown): value is Gone => value === gone

/** Runs the step, and says what is to be kept of it: the loader that the cache is asked with. */
export async function keep(
  setup: Setup,
  question: Question,
  run: Run,
  context: LoadContext,
): Promise<Kept | Gone | DoNotCache<Kept | Gone>> {
  const { call, key } = question
  const { books, options, runs } = setup
  const isOther = isOfOther(setup, question)
  let ran: Ran
  let stream: Streaming | undefined
  try {
    ;({ ran, stream } = await run.start(call.run, context.signal))
  } catch (error) {
    threw(error)
    throw error
  } finally {
    runs.end(key, run)
  }
  const { result, effects } = ran
  if (!result.success) {
    const ttl = negativeTtlOf(setup, call.nodeId, result.error)
    if (ttl === undefined || hasStandIn(setup, context)) throw new Failed(ran)
    // A failure that has ended is not given to anybody while a new answer is made.
    Object.assign(context.options, { ttl, grace: 0 })
  }
  const recorded = stream?.recording.whole()
  const { emitted } = run
  const kept: Kept = {
    format: 1,
    key,
    result: stream === undefined || !result.success ? result : { ...result, output: null },
    effects,
    emitted: emitted ?? { chunks: [], delays: [] },
    ...(stream !== undefined && recorded !== undefined && { stream: { ...recorded, kind: stream.kind } }),
    cost: { ms: run.ms, ...books.cost(call.nodeId, result, recorded?.chunks ?? []) },
    at: setup.clock.now(),
    ttlMs: context.options.ttl === undefined ? Infinity : toMs(context.options.ttl, 'ttl'),
  }
  if (call.control.mode !== 'no-store') {
    const reason = refusal(setup, kept, {
      isOther,
      stream,
      recorded,
      emitted,
      aborted: context.signal.aborted,
    })
    if (reason !== undefined) books.tell({ type: 'not-stored', nodeId: call.nodeId, reason })
    else {
      try {
        if (call.tags !== undefined)
          context.options.tags = [...(context.options.tags ?? []), ...tagsOf(call.tags(withChunks(kept)))]
        // A copy, unless it is said that nobody changes the result.
        return (run.kept = options.copy === 'share' ? kept : cloneOf(kept))
      } catch (error) {
        books.tell({ type: 'error', nodeId: call.nodeId, during: 'keep', error })
      }
    }
  }
  run.kept = kept
  // Those who ran together share it all the same; a stream, only those who read along.
  return doNotCache(stream !== undefined && recorded === undefined ? gone : kept)
}

/** Why a result is not to be kept, or `undefined`. */
function refusal(
  setup: Setup,
  kept: Kept,
  of: {
    readonly isOther: boolean
    readonly stream: Streaming | undefined
    readonly recorded: Recorded | undefined
    readonly emitted: Recorded | undefined
    readonly aborted: boolean
  },
): string | undefined {
  if (of.isOther) return 'what the key is made of was changed after the call'
  if (of.stream !== undefined && of.recorded === undefined)
    return of.stream.recording.fits
      ? 'the stream is no whole answer'
      : 'the stream is longer than stream.maxBytes'
  if (of.emitted === undefined) return 'what was emitted is no whole answer, or longer than stream.maxBytes'
  if (kept.result.success && kept.result.interrupt !== undefined) return 'the result is an interrupt'
  if (of.aborted) return 'the run was aborted'
  return isWorthKeeping(setup.options, kept) ? undefined : 'store said no'
}

/** Letters of a text are no tags. */
function tagsOf(tags: unknown): readonly string[] {
  if (Array.isArray(tags)) return tags as readonly string[]
  throw new TypeError('tags must answer with an array of strings')
}

/** Whether the caller has changed the input since the key was made: the step would see what the key does not say. */
function isOfOther({ options }: Setup, { call, key }: Question): boolean {
  try {
    return keyFor(call.parts(), options, call.control.namespace) !== key
  } catch {
    return true
  }
}

/** Whether there is an old answer to stand in for a failure. */
function hasStandIn({ options }: Setup, { previous }: LoadContext): boolean {
  if (options.staleIfError === undefined || previous === undefined) return false
  return (previous.value as Partial<Kept> | null)?.result?.success === true
}

/** For how long a failure is to be remembered, or `undefined`: not at all. */
function negativeTtlOf({ options, books }: Setup, nodeId: string, failure: NodeFailure): number | undefined {
  if (options.negativeTtl === undefined) return undefined
  try {
    const ms = toMs(options.negativeTtl(failure), 'negativeTtl')
    return ms > 0 ? ms : undefined
  } catch (error) {
    books.tell({ type: 'error', nodeId, during: 'negativeTtl', error })
    return undefined
  }
}
