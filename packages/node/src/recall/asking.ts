import type { GetOrSetOptions, Loader } from '@flow-cache/core'
import type { Kept } from '../answer.js'
import { Run } from '../run.js'
import { unkeptAnswer, uncached } from './answering.js'
import type { Answer, Question } from './call.js'
import { follow } from './following.js'
import { type Gone, gone, isGone, keep } from './keeping.js'
import { Seat } from './seat.js'
import type { Setup } from './setup.js'
import { Failed, isOfTheCache } from './step-errors.js'
import { asksFor, type Way } from './ways.js'

/** What the cache had to say: an answer as it is, or something that is still to be looked at. */
export type Asked =
  | { readonly answer: Answer }
  | Gone
  | {
      readonly value: Kept
      /** The run that brought it, where this caller began it. */
      readonly mine: Run | undefined
      /** Whether somebody else's run brought it while this caller waited. */
      readonly shared: boolean
    }

/** Asks the cache, which runs the step where it must. Waits for a result, or for the beginning of a stream. */
export async function ask(setup: Setup, question: Question, way: Way): Promise<Asked> {
  const { cache, runs } = setup
  const { call, key } = question
  const options = asksFor(setup, call.control, way)
  let mine: Run | undefined
  /** Whether the caller was given an old answer, and has left its run to go on behind. */
  let behind = false
  const load: Loader<Kept | Gone> = async (context) => {
    const run = (mine = new Run(setup))
    runs.begin(key, run)
    const kept = await keep(setup, question, run, context)
    if (behind && run.kept !== undefined) setup.books.savings.behind(call.nodeId, run.kept.cost)
    return kept
  }
  const getOrSet = async (asks: GetOrSetOptions): Promise<Kept | Gone> => cache.getOrSet(key, load, asks)

  // What is near needs no seat at a run, and no way to leave it.
  if (way !== 'anew' && isNear(setup, key)) {
    const value = await getOrSet(options).catch(() => undefined)
    if (value !== undefined && !isGone(value)) {
      const ran = value === mine?.kept ? mine : undefined
      behind = ran === undefined
      return { value, mine: ran, shared: false }
    }
  }

  const seat = new Seat(setup, question, way !== 'anew')
  const whole = Promise.resolve()
    // With 'finish' the run does not hear that its callers have left.
    .then(async () => getOrSet(setup.finishes ? options : { ...options, signal: seat.leaving.signal }))
    .finally(() => seat.free())
  const streaming = seat.attached.then(async (run) => run.streaming)
  try {
    const first = await Promise.race([whole.then((value) => ({ value })), streaming, seat.left])
    const isLive = 'recording' in first
    // The stream began, or has ended before anybody looked.
    if (isLive || (isGone(first.value) && seat.run !== undefined)) {
      if (isLive) {
        whole.catch(() => {})
        seat.settle()
      }
      const stream = isLive ? first : await streaming
      const answer = follow(setup, question, stream, { seat, whole, mine: mine === seat.run })
      if (answer !== undefined) return { answer }
      if (isLive) seat.leaving.abort(new Error('read nothing'))
      return gone
    }
    const { value } = first
    if (isGone(value)) return value
    // The run's own, or an older one that stands in for it.
    const ran = value === mine?.kept ? mine : undefined
    behind = ran === undefined
    return { value, mine: ran, shared: ran === undefined && value === seat.run?.kept }
  } catch (error) {
    whole.catch(() => {})
    seat.free()
    call.signal?.throwIfAborted()
    return { answer: await inPlaceOf(error, setup, question, { mine, run: mine ?? seat.run }) }
  }
}

/** What is answered where the cache rejected: a failure of the step, its result where only the cache failed, or the error. */
async function inPlaceOf(
  error: unknown,
  setup: Setup,
  question: Question,
  { mine, run }: { readonly mine: Run | undefined; readonly run: Run | undefined },
): Promise<Answer> {
  const { call, began } = question
  const status = mine === undefined ? 'shared' : call.control.mode === 'refresh' ? 'refresh' : 'miss'
  if (error instanceof Failed) {
    return unkeptAnswer(setup, question, error.ran, { run: mine, status, reason: 'failed' })
  }
  if (!isOfTheCache(error)) throw error
  setup.books.sick(call.nodeId, 'load', error)
  if (run?.ran === undefined) return uncached(setup, call, began, 'cache-error')
  return unkeptAnswer(setup, question, run.ran, { run: mine, status, reason: 'cache-error' })
}

function isNear({ cache }: Setup, key: string): boolean {
  try {
    return cache.peek(key) !== undefined
  } catch {
    return false
  }
}
