/*
 * The one path of everything that is cached here: nodes, functions, a framework's calls. It makes the key, asks the
 * cache, runs the step where it must, and accounts for what that took and saved. The rules, in order:
 *
 * 1. A cache that fails never fails the step: the step runs, uncached if need be.
 * 2. What was stored is checked before it is used: its layout, its key, the caller's own validator, its age.
 * 3. Everybody gets an answer of their own: a copy, or a reader of their own on a stream.
 */
import {
  type Cache,
  CacheError,
  type Clock,
  cloneOf,
  doNotCache,
  type GetOrSetOptions,
  type LoadContext,
  systemClock,
  toMs,
} from '@flow-cache/core'
import { type CacheInfo, isKept, type Kept, type Status } from './answer.js'
import type { CacheControl } from './control.js'
import { copyOf, type Effect } from './guard.js'
import { difference, type Digests, digestsOf, keyFor, type KeyParts } from './key.js'
import type { NodeFailure, NodeResult } from './node.js'
import { defaults, type KeepingOptions, type StepEvent } from './options.js'
import { priceOf } from './price.js'
import { type Ran, Run, type Streaming, type Task } from './run.js'
import { Runs } from './runs.js'
import { Savings, type Spent } from './savings.js'
import { playback } from './stream/playback.js'
import { plainRules, type StreamRules } from './stream/rules.js'
import { streamOf, type Source } from './stream/streams.js'

/** One call of a step that is cached. */
export interface Call {
  readonly nodeId: string
  /** What the key is made of. May throw what a key cannot be made of. */
  readonly parts: () => KeyParts
  /** Whether the cache has a part in it at all. */
  readonly wanted: boolean
  readonly control: CacheControl
  /** Ends this caller's wait, and the run if it is the last one. */
  readonly signal?: AbortSignal | undefined
  readonly tags?: ((result: NodeResult) => readonly string[]) | undefined
  /** Runs the step, guarded. Its effects are not done yet: the caller replays them. */
  readonly run: (task: Task) => Promise<Ran>
  /** Runs it as if there were no cache. */
  readonly runPlain: (task: Task) => Promise<NodeResult>
  /** Gets what is emitted, live or from the cache. */
  readonly emit: (chunk: unknown) => void
}

/** What a call is answered with. */
export interface Answer {
  readonly result: NodeResult
  readonly effects: readonly Effect[]
  readonly info: CacheInfo
}

/** A failed result on its way through the cache, which keeps errors by its own rules. */
class Failed extends Error {
  readonly ran: Ran

  constructor(ran: Ran) {
    super('the step failed')
    this.ran = ran
  }
}

/** A run that nothing can be given of any more to those who come late. */
const gone: unique symbol = Symbol('gone')

const free: Spent = Object.freeze({ ms: 0, tokens: 0, usd: 0 })

/** Errors that steps threw, as far as they are objects: those are never the cache's. */
const thrown = new WeakSet<object>()

interface Loaded {
  readonly key: string
  readonly began: number
  readonly value: Kept | typeof gone
  readonly mine: Run | undefined
  readonly shared: boolean
}

export class Recall {
  readonly savings: Savings
  readonly #options: KeepingOptions
  readonly #cache: Cache
  readonly #runs: Runs
  readonly #clock: Clock
  readonly #rules: StreamRules
  readonly #maxBytes: number
  readonly #keeping: GetOrSetOptions
  /** What the last miss of each node was made of. There are as many as nodes share these options: one, mostly. */
  readonly #last = new Map<string, Digests>()

  constructor(options: KeepingOptions) {
    this.#options = options
    this.#cache = options.cache
    this.#runs = Runs.of(options.cache)
    this.#clock = options.clock ?? systemClock
    this.#rules = options.stream?.rules ?? plainRules
    this.#maxBytes = options.stream?.maxBytes ?? defaults.maxBytes
    this.savings = options.savings ?? new Savings()
    this.#keeping = keepingOf(options)
  }

  /** The key of what the parts say. */
  keyFor(parts: KeyParts, control: CacheControl): string {
    return keyFor(parts, this.#options, control.namespace)
  }

  /** Tells whoever listens; never fails. */
  tell(event: StepEvent): void {
    try {
      this.#options.onEvent?.(event)
    } catch {
      // A listener that fails has nobody left to tell.
    }
  }

  async answer(call: Call): Promise<Answer> {
    call.signal?.throwIfAborted()
    const began = this.#clock.now()
    const { control } = call
    if (control.mode === 'bypass' || !call.wanted) return this.#uncached(call, began, 'bypass')
    let parts: KeyParts
    let key: string
    try {
      parts = call.parts()
      key = this.keyFor(parts, control)
    } catch (error) {
      if (this.#options.onKeyError !== 'bypass' || !(error instanceof CacheError)) throw error
      this.tell({ type: 'error', nodeId: call.nodeId, during: 'key', error })
      return this.#uncached(call, began, 'key-error')
    }
    if (control.mode === 'only-if-cached') return this.#onlyIfCached(call, key, began)

    let reason: string | undefined
    let refresh = control.mode === 'refresh'
    for (let round = 0; round < 3; round++) {
      const loaded = await this.#load(call, key, began, refresh)
      if ('answer' in loaded) return this.#told(loaded.answer)
      const { value, mine, shared } = loaded
      if (value === gone) break
      if (mine !== undefined) return this.#told(this.#ran(call, parts, loaded, value, reason))
      const wrong = shared ? undefined : this.#wrong(key, value, control)
      if (wrong === undefined) return this.#told(this.#found(call, loaded, value))
      reason = wrong
      if (wrong === 'integrity') await this.#remove(call, key)
      else refresh = true
    }
    return this.#uncached(call, began, reason ?? 'cache-error')
  }

  /** What is stored, if it can be used. Never runs. */
  async #onlyIfCached(call: Call, key: string, began: number): Promise<Answer> {
    const entry = await this.#cache.getEntry(key).catch((error: unknown) => this.#sick(call, 'get', error))
    const value = entry?.state === 'fresh' ? entry.value : undefined
    if (value !== undefined && this.#wrong(key, value, call.control) === undefined)
      return this.#told(this.#found(call, { key, began }, value as Kept))
    const error = { message: `node '${call.nodeId}' has no cached answer`, code: 'CACHE_MISS' }
    const info: CacheInfo = {
      status: 'miss',
      key,
      reason: 'only-if-cached',
      lookupMs: this.#clock.now() - began,
    }
    return this.#told({ result: { success: false, error }, effects: [], info })
  }

  async #load(
    call: Call,
    key: string,
    began: number,
    refresh: boolean,
  ): Promise<Loaded | { readonly answer: Answer }> {
    const { control, nodeId } = call
    let mine: Run | undefined
    let seen: Run | undefined
    const load = async (context: LoadContext): Promise<Kept | typeof gone> => {
      mine = new Run({ clock: this.#clock, rules: this.#rules, maxBytes: this.#maxBytes })
      this.#runs.begin(key, mine)
      return this.#keep(call, key, mine, context)
    }
    const asks: GetOrSetOptions = {
      ...this.#keeping,
      ...(control.ttl !== undefined && { ttl: control.ttl }),
      ...(control.mode === 'no-store' && { skip: 'write' as const }),
      ...(refresh && { forceRefresh: true }),
      copy: 'share',
    }
    // What is near needs no seat at a run, and no way to leave it.
    if (!refresh && this.#isNear(key)) {
      const value = await this.#cache.getOrSet<Kept | typeof gone>(key, load, asks).catch(() => gone)
      if (value !== gone) {
        const ran = value === mine?.kept ? mine : undefined
        return { key, began, value: value as Kept, mine: ran, shared: false }
      }
    }
    let stopListening = (): void => {}
    let attach!: (run: Run) => void
    const attached = new Promise<Run>((resolve) => (attach = resolve))
    const leaving = new AbortController()
    const finishes = this.#options.stream?.onAbort === 'finish'
    const left = abortOf(leaving.signal)
    const unlink = linked(call.signal, leaving)
    const giveUp = this.#runs.join(
      key,
      (run) => {
        // One seat: whoever sees a second run begin stays with the first, unless the second is its own.
        if (seen !== undefined) return
        seen = run
        stopListening = run.listen(call.emit)
        attach(run)
      },
      !refresh,
    )
    const whole = Promise.resolve()
      .then(async () =>
        this.#cache.getOrSet<Kept | typeof gone>(key, load, {
          ...asks,
          // With 'finish' the run does not hear that its callers have left.
          ...(!finishes && { signal: leaving.signal }),
        }),
      )
      .finally(() => {
        giveUp()
        unlink()
        stopListening()
      })
    try {
      const first = await Promise.race([
        whole.then((value) => ({ value })),
        attached.then((run) => run.streaming),
        left,
      ])
      if ('value' in first && first.value === gone && seen !== undefined) {
        // The stream ended before anybody looked.
        const live = this.#live(call, key, began, await seen.streaming, {
          whole,
          leaving,
          left,
          mine: mine === seen,
        })
        if (live !== undefined) return { answer: live }
      }
      if ('recording' in first) {
        whole.catch(() => {})
        giveUp()
        const live = this.#live(call, key, began, first, { whole, leaving, left, mine: mine === seen })
        if (live !== undefined) return { answer: live }
        leaving.abort(new Error('read nothing'))
        return { key, began, value: gone, mine: undefined, shared: false }
      }
      const value = first.value as Kept | typeof gone
      // The run's own, or an older one that stands in for it.
      const ran = value === gone || value === mine?.kept ? mine : undefined
      const shared = ran === undefined && value === seen?.kept
      return { key, began, value, mine: ran, shared }
    } catch (error) {
      whole.catch(() => {})
      giveUp()
      stopListening()
      call.signal?.throwIfAborted()
      if (error instanceof Failed) {
        const { result, effects } = error.ran
        const status: Status = mine === undefined ? 'shared' : refresh ? 'refresh' : 'miss'
        this.#count(nodeId, status, { ...free, ms: mine?.ms ?? 0 }, began, mine?.ms)
        const info: CacheInfo = { status, key, reason: 'failed', lookupMs: this.#since(began, mine?.ms) }
        return { answer: { result: copyOf(result), effects, info } }
      }
      if (!isOfTheCache(error)) throw error
      this.#sick(call, 'load', error)
      const ran = mine?.ran ?? seen?.ran
      if (ran === undefined) return { answer: await this.#uncached(call, began, 'cache-error') }
      const status: Status = mine === undefined ? 'shared' : 'miss'
      this.#count(nodeId, status, { ...free, ms: mine?.ms ?? 0 }, began, mine?.ms)
      const info: CacheInfo = { status, key, reason: 'cache-error', lookupMs: this.#since(began, mine?.ms) }
      return { answer: { result: copyOf(ran.result), effects: ran.effects, info } }
    }
  }

  #isNear(key: string): boolean {
    try {
      return this.#cache.peek(key) !== undefined
    } catch {
      return false
    }
  }

  /** Runs the step and says what is to be kept of it. */
  async #keep(call: Call, key: string, run: Run, context: LoadContext): Promise<never> {
    let ran: Ran
    let stream: Streaming | undefined
    try {
      ;({ ran, stream } = await run.start(call.run, context.signal))
    } catch (error) {
      if (typeof error === 'object' && error !== null) thrown.add(error)
      throw error
    } finally {
      this.#runs.end(key, run)
    }
    const { result, effects } = ran
    const negative = result.success ? undefined : this.#negativeTtl(call, result.error)
    if (!result.success && negative === undefined) throw new Failed(ran)
    if (negative !== undefined) context.options.ttl = negative
    const chunks = stream === undefined ? undefined : stream.recording.whole()
    const emitted = run.emitted
    const kept: Kept = {
      format: 1,
      key,
      result: stream === undefined || !result.success ? result : { ...result, output: null },
      effects,
      emitted: emitted ?? { chunks: [], delays: [] },
      ...(stream !== undefined && chunks !== undefined && { stream: { ...chunks, kind: stream.kind } }),
      cost: { ms: run.ms, ...this.#cost(call, result, chunks?.chunks ?? []) },
      at: this.#clock.now(),
      ttlMs: context.options.ttl === undefined ? Infinity : toMs(context.options.ttl, 'ttl'),
    }
    const refused =
      stream !== undefined && chunks === undefined
        ? stream.recording.fits
          ? 'the stream is no whole answer'
          : 'the stream is longer than stream.maxBytes'
        : emitted === undefined
          ? 'what was emitted is no whole answer, or longer than stream.maxBytes'
          : result.success && result.interrupt !== undefined
            ? 'the result is an interrupt'
            : context.signal.aborted
              ? 'the run was aborted'
              : this.#refused(call, kept)
    if (refused === undefined) {
      try {
        if (call.tags !== undefined)
          context.options.tags = [...(context.options.tags ?? []), ...call.tags(withChunks(kept))]
        // A copy: whoever has the result may change it.
        return (run.kept = this.#options.copy === 'share' ? kept : cloneOf(kept)) as never
      } catch (error) {
        this.tell({ type: 'error', nodeId: call.nodeId, during: 'keep', error })
      }
    } else if (refused !== '') this.tell({ type: 'not-stored', nodeId: call.nodeId, reason: refused })
    run.kept = kept
    // Those who ran together share it all the same; a stream, only those who read along.
    return doNotCache(stream !== undefined && chunks === undefined ? gone : kept) as never
  }

  /** An answer whose stream goes on, or `undefined` where its beginning is gone. */
  #live(
    call: Call,
    key: string,
    began: number,
    streaming: Streaming,
    at: {
      readonly whole: Promise<unknown>
      readonly leaving: AbortController
      readonly left: Promise<never>
      readonly mine: boolean
    },
  ): Answer | undefined {
    const read = streaming.recording.buffer.reader()
    if (read === undefined) return undefined
    const began2 = this.#clock.now()
    const source: Source = {
      next: async () => Promise.race([read(), at.left]),
      stop: async (reason) => at.leaving.abort(reason ?? new Error('nobody reads it')),
    }
    const status: Status = at.mine ? (call.control.mode === 'refresh' ? 'refresh' : 'miss') : 'shared'
    const lookupMs = at.mine ? 0 : began2 - began
    void at.whole.then(
      (value) => {
        const cost = typeof value === 'object' && value !== null ? (value as Kept).cost : free
        this.savings.answered(call.nodeId, status, cost)
        this.savings.overhead(call.nodeId, lookupMs)
      },
      () => this.savings.answered(call.nodeId, status, free),
    )
    const result = { ...streaming.result, output: streamOf(source, streaming.kind) } as NodeResult
    return { result, effects: streaming.effects, info: { status, key, lookupMs } }
  }

  #ran(call: Call, parts: KeyParts, { key, began, mine }: Loaded, kept: Kept, reason?: string): Answer {
    const { nodeId, control } = call
    const status: Status = control.mode === 'refresh' ? 'refresh' : 'miss'
    const why = reason ?? (status === 'miss' ? this.#why(nodeId, parts) : undefined)
    this.#count(nodeId, status, kept.cost, began, mine?.ms)
    return this.#from(kept, {
      status,
      key,
      ...(why !== undefined && { reason: why }),
      ttlMs: kept.ttlMs,
      lookupMs: this.#since(began, mine?.ms),
    })
  }

  #found(
    call: Call,
    { key, began, shared }: Pick<Loaded, 'key' | 'began'> & { shared?: boolean },
    kept: Kept,
  ): Answer {
    const now = this.#clock.now()
    const ageMs = Math.max(0, now - kept.at)
    const status: Status = shared === true ? 'shared' : ageMs < kept.ttlMs ? 'hit' : 'stale'
    if (status !== 'shared') for (const chunk of kept.emitted.chunks) call.emit(copyOf(chunk))
    this.#count(call.nodeId, status, kept.cost, began, status === 'shared' ? now - began : 0)
    const lookupMs = now - began
    return this.#from(kept, {
      status,
      key,
      ageMs,
      ttlMs: Math.max(0, kept.ttlMs - ageMs),
      lookupMs,
      savedMs: kept.cost.ms - lookupMs,
      saved: { tokens: kept.cost.tokens, usd: kept.cost.usd },
    })
  }

  #from(kept: Kept, info: CacheInfo): Answer {
    const result = this.#options.copy === 'share' ? kept.result : copyOf(kept.result)
    const { stream } = kept
    if (stream === undefined) return { result, effects: kept.effects, info }
    const source = playback(stream, this.#options.stream?.pace ?? defaults.pace, this.#clock)
    return {
      result: { ...result, output: streamOf(source, stream.kind) } as NodeResult,
      effects: kept.effects,
      info,
    }
  }

  async #uncached(call: Call, began: number, reason: string): Promise<Answer> {
    const lookupMs = this.#clock.now() - began
    const start = this.#clock.now()
    const never = new AbortController()
    const result = await call.runPlain({ signal: call.signal ?? never.signal, emit: call.emit })
    const ms = this.#clock.now() - start
    // Streams of a run of one's own are handed on as they are; what is no known stream as well.
    this.#count(call.nodeId, 'bypass', { ms, ...this.#cost(call, result, []) }, began, ms)
    const info: CacheInfo = { status: 'bypass', lookupMs, ...(reason !== 'bypass' && { reason }) }
    return this.#told({ result, effects: [], info })
  }

  /** What is wrong with what was found, or `undefined`. */
  #wrong(key: string, value: unknown, control: CacheControl): 'integrity' | 'max-age' | undefined {
    if (!isKept(value, key)) return 'integrity'
    const { maxAge } = control
    if (maxAge !== undefined && this.#clock.now() - value.at > toMs(maxAge, 'cache.maxAge')) return 'max-age'
    if (value.result.success && value.result.interrupt !== undefined) return 'integrity'
    return this.#valid(value) ? undefined : 'integrity'
  }

  #valid(kept: Kept): boolean {
    const { store } = this.#options
    if (store === undefined || !kept.result.success) return true
    try {
      return store(withChunks(kept))
    } catch {
      return false
    }
  }

  #refused(call: Call, kept: Kept): string | undefined {
    if (call.control.mode === 'no-store') return ''
    return this.#valid(kept) ? undefined : 'store said no'
  }

  #negativeTtl(call: Call, error: NodeFailure): number | undefined {
    const { negativeTtl } = this.#options
    if (negativeTtl === undefined) return undefined
    try {
      const ms = toMs(negativeTtl(error), 'negativeTtl')
      return ms > 0 ? ms : undefined
    } catch (failure) {
      this.tell({ type: 'error', nodeId: call.nodeId, during: 'negativeTtl', error: failure })
      return undefined
    }
  }

  #cost(call: Call, result: NodeResult, chunks: readonly unknown[]): { tokens: number; usd: number } {
    const { cost, pricing } = this.#options
    if (cost === undefined || !result.success) return { tokens: 0, usd: 0 }
    try {
      const of = cost(result, chunks) ?? {}
      return { tokens: (of.inputTokens ?? 0) + (of.outputTokens ?? 0), usd: priceOf(of, pricing) }
    } catch (error) {
      this.tell({ type: 'error', nodeId: call.nodeId, during: 'cost', error })
      return { tokens: 0, usd: 0 }
    }
  }

  #why(nodeId: string, parts: KeyParts): string | undefined {
    try {
      const now = digestsOf(parts, this.#options)
      const why = difference(this.#last.get(nodeId), now)
      this.#last.set(nodeId, now)
      return why
    } catch {
      return undefined
    }
  }

  async #remove(call: Call, key: string): Promise<void> {
    await this.#cache.delete(key).catch((error: unknown) => this.#sick(call, 'delete', error))
  }

  #sick(call: Call, during: string, error: unknown): undefined {
    this.savings.failed(call.nodeId)
    this.tell({ type: 'error', nodeId: call.nodeId, during, error })
    return undefined
  }

  #since(began: number, runMs = 0): number {
    return Math.max(0, this.#clock.now() - began - runMs)
  }

  #count(nodeId: string, status: Status, cost: Spent, began: number, runMs = 0): void {
    this.savings.answered(nodeId, status, cost)
    this.savings.overhead(nodeId, this.#since(began, runMs))
  }

  #told(answer: Answer): Answer {
    const { onHit, onMiss } = this.#options
    const { info } = answer
    try {
      if (info.status === 'hit' || info.status === 'stale' || info.status === 'shared') onHit?.(info)
      else onMiss?.(info)
    } catch (error) {
      this.tell({ type: 'error', nodeId: '', during: 'listener', error })
    }
    return answer
  }
}

/** What validators see of a stream: its chunks, as the output. */
function withChunks(kept: Kept): NodeResult {
  return kept.stream === undefined || !kept.result.success
    ? kept.result
    : { ...kept.result, output: kept.stream.chunks }
}

/** Whether an error is the cache's own failure, and neither the step's nor one the caller asked for. */
function isOfTheCache(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || thrown.has(error)) return false
  const code = error instanceof CacheError ? error.code : ''
  return !['ERR_TIMEOUT', 'ERR_LOAD_TIMEOUT', 'ERR_RECURSION', 'ERR_KEY'].includes(code)
}

function keepingOf({ ttl, stale, staleIfError }: KeepingOptions): GetOrSetOptions {
  const graces = [stale, staleIfError]
    .filter((grace) => grace !== undefined)
    .map((grace) => toMs(grace, 'stale'))
  return {
    ...(ttl !== undefined && { ttl }),
    ...(graces.length > 0 && { grace: Math.max(...graces) }),
    ...(stale !== undefined && { timeouts: { soft: 0 } }),
  }
}

/** Rejects when the signal aborts. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  aborted.catch(() => {})
  return aborted
}

/** Aborts with the signal, where there is one; the answer ends that. */
function linked(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return () => {}
  const abort = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}
