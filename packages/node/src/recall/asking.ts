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
export async function ask(setup: Setup, question: Question, refresh: boolean): Promise<Asked> {
  const { cache, runs } = setup
  const { call, key } = question
  const options = optionsOf(setup, question, refresh)
  let mine: Run | undefined
  const load: Loader<Kept | Gone> = async (context) => {
    mine = new Run(setup)
    runs.begin(key, mine)
    return keep(setup, question, mine, context)
  }
  const getOrSet = async (asks: GetOrSetOptions): Promise<Kept | Gone> => cache.getOrSet(key, load, asks)

  // What is near needs no seat at a run, and no way to leave it.
  if (!refresh && isNear(setup, key)) {
    const value = await getOrSet(options).catch(() => undefined)
    if (value !== undefined && !isGone(value))
      return { value, mine: value === mine?.kept ? mine : undefined, shared: false }
  }

  const seat = new Seat(setup, question, !refresh)
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
    return { value, mine: ran, shared: ran === undefined && value === seat.run?.kept }
  } catch (error) {
    whole.catch(() => {})
    seat.free()
    call.signal?.throwIfAborted()
    return { answer: await inPlaceOf(error, setup, question, { mine, run: mine ?? seat.run, refresh }) }
  }
}

/** What is answered where the cache rejected: a failure of the step, its result where only the cache failed, or the error. */
async function inPlaceOf(
  error: unknown,
  setup: Setup,
  question: Question,
  { mine, run, refresh }: { mine: Run | undefined; run: Run | undefined; refresh: boolean },
): Promise<Answer> {
  if (error instanceof Failed) {
    const status = mine === undefined ? 'shared' : refresh ? 'refresh' : 'miss'
    return unkeptAnswer(setup, question, error.ran, { run: mine, status, reason: 'failed' })
  }
  if (!isOfTheCache(error)) throw error
  const { call, began } = question
  setup.books.sick(call.nodeId, 'load', error)
  if (run?.ran === undefined) return uncached(setup, call, began, 'cache-error')
  const status = mine === undefined ? 'shared' : 'miss'
  return unkeptAnswer(setup, question, run.ran, { run: mine, status, reason: 'cache-error' })
}

function optionsOf({ keeping }: Setup, { call }: Question, refresh: boolean): GetOrSetOptions {
  const { ttl, mode } = call.control
  return {
    ...keeping,
    ...(ttl !== undefined && { ttl }),
    ...(mode === 'no-store' && { skip: 'write' as const }),
    ...(refresh && { forceRefresh: true }),
  }
}

function isNear({ cache }: Setup, key: string): boolean {
  try {
    return cache.peek(key) !== undefined
  } catch {
    return false
  }
}
