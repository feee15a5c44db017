/*
 * The one path of everything that is cached here: nodes, functions, a framework's calls. It makes the key, asks the
 * cache, runs the step where it must, and accounts for what that took and saved. The rules, in order:
 *
 * 1. A cache that fails never fails the step: the step runs, uncached if need be.
 * 2. What was stored is checked before it is used: its layout, its key, the caller's own validator, its age.
 * 3. Everybody gets an answer of their own: a copy, or a reader of their own on a stream.
 *
 * Read on in this order: `asking` (the cache is asked, and waited for), `keeping` (the step runs, and what of it is
 * stored), `following` (a stream that goes on), `checking` (what was found), `answering` (what the caller gets).
 */
import { CacheError } from '@flow-cache/core'
import type { Kept } from './answer.js'
import type { CacheControl } from './control.js'
import { keyFor, type KeyParts } from './key.js'
import type { KeepingOptions, StepEvent } from './options.js'
import { foundAnswer, missAnswer, ranAnswer, uncached } from './recall/answering.js'
import { ask } from './recall/asking.js'
import type { Answer, Call, Question } from './recall/call.js'
import { wrongWith } from './recall/checking.js'
import { type Setup, setupOf } from './recall/setup.js'
import type { Way } from './recall/ways.js'
import type { Savings } from './savings.js'

export type { Answer, Call } from './recall/call.js'

/** How often an answer that cannot be used is asked for anew before the step runs uncached. */
const rounds = 3

/** Remembers what the calls of a step were answered with. */
export class Recall {
  readonly savings: Savings
  readonly #setup: Setup

  constructor(options: KeepingOptions) {
    this.#setup = setupOf(options)
    this.savings = this.#setup.books.savings
  }

  /** The key of what the parts say. */
  keyFor(parts: KeyParts, control: CacheControl): string {
    return keyFor(parts, this.#setup.options, control.namespace)
  }

  /** Tells whoever listens; never fails. */
  tell(event: StepEvent): void {
    this.#setup.books.tell(event)
  }

  /** From the cache, from somebody's run, or from one of its own. Rejects with what the step throws. */
  async answer(call: Call): Promise<Answer> {
    call.signal?.throwIfAborted()
    const answer = await this.#answer(call)
    this.#setup.books.announce(call.nodeId, answer.info)
    return answer
  }

  async #answer(call: Call): Promise<Answer> {
    const setup = this.#setup
    const { control } = call
    const began = setup.clock.now()
    if (control.mode === 'bypass' || !call.wanted) return uncached(setup, call, began)
    const question = this.#question(call, began)
    if (question === undefined) return uncached(setup, call, began, 'key-error')
    if (control.mode === 'only-if-cached') return this.#onlyIfCached(question)

    let reason: string | undefined
    let way: Way = control.mode === 'refresh' ? 'anew' : 'usual'
    for (let round = 0; round < rounds; round++) {
      const asked = await ask(setup, question, way)
      if ('answer' in asked) return asked.answer
      if ('gone' in asked) break
      const { value, mine, shared } = asked
      if (mine !== undefined) return ranAnswer(setup, question, mine, value, reason)
      const wrong: ReturnType<typeof wrongWith> = shared
        ? undefined
        : wrongWith(setup, question.key, value, { control, way })
      if (wrong === undefined) return foundAnswer(setup, question, value, shared)
      reason = wrong
      if (wrong === 'integrity') await this.#remove(question)
      else way = wrong === 'expired' ? 'patient' : 'anew'
    }
    return uncached(setup, call, began, reason ?? 'cache-error')
  }

  /** The call with its key, or `undefined` where none can be made and `onKeyError` says to go on without. */
  #question(call: Call, began: number): Question | undefined {
    try {
      const parts = call.parts()
      return { call, parts, key: this.keyFor(parts, call.control), began }
    } catch (error) {
      const { options, books } = this.#setup
      if (options.onKeyError !== 'bypass' || !(error instanceof CacheError)) throw error
      books.tell({ type: 'error', nodeId: call.nodeId, during: 'key', error })
      return undefined
    }
  }

  /** What is stored, if it can be used. Never runs. */
  async #onlyIfCached(question: Question): Promise<Answer> {
    const { cache, books } = this.#setup
    const { call, key } = question
    const entry = await cache
      .getEntry<Kept>(key)
      .catch((error: unknown) => books.sick(call.nodeId, 'get', error))
    const asked = { control: call.control, way: 'usual' } as const
    if (entry?.state !== 'fresh' || wrongWith(this.#setup, key, entry.value, asked) !== undefined)
      return missAnswer(this.#setup, question)
    return foundAnswer(this.#setup, question, entry.value, false)
  }

  async #remove({ call, key }: Question): Promise<void> {
    const { cache, books } = this.#setup
    await cache.delete(key).catch((error: unknown) => books.sick(call.nodeId, 'delete', error))
  }
}
