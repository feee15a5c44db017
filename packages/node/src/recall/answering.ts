import type { Kept } from '../answer.js'
import type { CacheInfo, Status } from '../cache-info.js'
import { copyOf } from '../guard.js'
import type { NodeResult } from '../node.js'
import type { Ran, Run } from '../run.js'
import { playback } from '../stream/playback.js'
import { streamOf } from '../stream/streams.js'
import { free } from './books.js'
import type { Answer, Call, Question } from './call.js'
import type { Setup } from './setup.js'

/** The answer of a run that this caller began. */
export function ranAnswer(
  setup: Setup,
  { call, parts, key, began }: Question,
  run: Run,
  kept: Kept,
  reason: string | undefined,
): Answer {
  const { books } = setup
  const { nodeId, control } = call
  const status: Status = control.mode === 'refresh' ? 'refresh' : 'miss'
  const why = reason ?? (status === 'miss' ? books.why(nodeId, parts) : undefined)
  books.answered(nodeId, status, kept.cost, began, run.ms)
  return fromKept(setup, kept, {
    status,
    key,
    ...(why !== undefined && { reason: why }),
    ttlMs: kept.ttlMs,
    lookupMs: books.since(began, run.ms),
  })
}

/** The answer of what was there, or of a run that somebody else began. */
export function foundAnswer(
  setup: Setup,
  { call, key, began }: Pick<Question, 'call' | 'key' | 'began'>,
  kept: Kept,
  shared: boolean,
): Answer {
  const now = setup.clock.now()
  const lookupMs = now - began
  const ageMs = Math.max(0, now - kept.at)
  // What a refresh gives and did not make stands in for a step that failed.
  const isStale = ageMs >= kept.ttlMs || call.control.mode === 'refresh'
  const status: Status = shared ? 'shared' : isStale ? 'stale' : 'hit'
  // Who shared the run has heard them live.
  if (!shared) for (const chunk of kept.emitted.chunks) call.emit(copyOf(chunk))
  setup.books.answered(call.nodeId, status, kept.cost, began, shared ? lookupMs : 0)
  return fromKept(setup, kept, {
    status,
    key,
    ageMs,
    ttlMs: Math.max(0, kept.ttlMs - ageMs),
    lookupMs,
    savedMs: kept.cost.ms - lookupMs,
    saved: { tokens: kept.cost.tokens, usd: kept.cost.usd },
  })
}

/** The answer of a run that is over and has nothing in the cache: it failed, or the cache did. */
export function unkeptAnswer(
  { books }: Setup,
  { call, key, began }: Question,
  { result, effects }: Ran,
  at: { readonly run: Run | undefined; readonly status: Status; readonly reason: string },
): Answer {
  const { run, status, reason } = at
  books.answered(call.nodeId, status, { ...free, ms: run?.ms ?? 0 }, began, run?.ms)
  const info: CacheInfo = { status, key, reason, lookupMs: books.since(began, run?.ms) }
  return { result: copyOf(result), effects, info }
}

/** Runs the step as if there were no cache. */
export async function uncached(setup: Setup, call: Call, began: number, reason?: string): Promise<Answer> {
  const { books, clock } = setup
  const start = clock.now()
  const lookupMs = start - began
  const signal = call.signal ?? new AbortController().signal
  const result = await call.runPlain({ signal, emit: call.emit })
  const ms = clock.now() - start
  // Streams of a run of one's own are handed on as they are; what is no known stream as well.
  books.answered(call.nodeId, 'bypass', { ms, ...books.cost(call.nodeId, result, []) }, began, ms)
  return {
    result,
    effects: [],
    info: { status: 'bypass', lookupMs, ...(reason !== undefined && { reason }) },
  }
}

/** No answer: the call may not run, and nothing that is there can be used. */
export function missAnswer({ books }: Setup, { call, key, began }: Question): Answer {
  const error = { message: `node '${call.nodeId}' has no cached answer`, code: 'CACHE_MISS' }
  const info: CacheInfo = { status: 'miss', key, reason: 'only-if-cached', lookupMs: books.since(began) }
  return { result: { success: false, error }, effects: [], info }
}

function fromKept({ options, pace, clock }: Setup, kept: Kept, info: CacheInfo): Answer {
  const result = options.copy === 'share' ? kept.result : copyOf(kept.result)
  const { effects, stream } = kept
  if (stream === undefined) return { result, effects, info }
  const output = streamOf(playback(stream, pace, clock), stream.kind)
  return { result: { ...result, output } as NodeResult, effects, info }
}
