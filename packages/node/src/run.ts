import type { Clock } from '@flow-cache/core'
import type { Kept } from './answer.js'
import type { Effect } from './guard.js'
import type { NodeResult } from './node.js'
import { Recording, type RecordingOptions } from './stream/recording.js'
import { plainRules } from './stream/rules.js'
import { kindOf, sourceOf, type StreamKind } from './stream/streams.js'

/** What a step is given to run once. */
export interface Task {
  readonly signal: AbortSignal
  emit(chunk: unknown): void
}

/** What came of it. */
export interface Ran {
  readonly result: NodeResult
  readonly effects: readonly Effect[]
}

/** A run whose output is a stream that is still going on. */
export interface Streaming extends Ran {
  readonly kind: StreamKind
  readonly recording: Recording
}

/**
 * One run of a step that several callers may share: what it emits and streams goes to all of them, from the first
 * chunk on.
 */
export class Run {
  /** Resolves as soon as the output turns out to be a stream; never, if it is none. */
  readonly streaming: Promise<Streaming>
  readonly #opened: (streaming: Streaming) => void
  readonly #clock: Clock
  readonly #options: RecordingOptions
  readonly #emitted: Recording
  readonly #heard: unknown[] = []
  readonly #listeners = new Set<(chunk: unknown) => void>()
  /** What it failed with. */
  failure: { readonly error: unknown } | undefined
  /** What the cache was given of it. */
  kept: Kept | undefined
  /** What came of it, once it has ended. */
  ran: Ran | undefined
  ms = 0

  constructor(options: RecordingOptions) {
    this.#clock = options.clock
    this.#options = options
    this.#emitted = new Recording({ ...options, rules: plainRules })
    let open!: (streaming: Streaming) => void
    this.streaming = new Promise((resolve) => (open = resolve))
    this.#opened = open
  }

  /** What was emitted, if it can be stored. */
  get emitted(): ReturnType<Recording['whole']> {
    return this.#emitted.whole()
  }

  /** Tells of every emitted chunk, also of those before; the answer stops it. */
  listen(listener: (chunk: unknown) => void): () => void {
    for (const chunk of this.#heard) listener(this.#options.copy(chunk))
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Runs it to its end, that of its stream included. */
  async start(
    step: (task: Task) => Promise<Ran>,
    signal: AbortSignal,
  ): Promise<{ readonly ran: Ran; readonly stream: Streaming | undefined }> {
    const began = this.#clock.now()
    try {
      const { copy } = this.#options
      const emit = (given: unknown): void => {
        const chunk = copy(given)
        this.#emitted.push(chunk)
        if (this.#emitted.fits) this.#heard.push(chunk)
        for (const listener of this.#listeners) listener(copy(chunk))
      }
      const ran = await step({ signal, emit })
      const kind = ran.result.success ? kindOf(ran.result.output) : undefined
      if (kind === undefined || !ran.result.success) {
        this.ran = ran
        return { ran, stream: undefined }
      }
      const recording = new Recording(this.#options)
      const stream = { ...ran, kind, recording }
      this.#opened(stream)
      await recording.drain(sourceOf(ran.result.output, kind), signal)
      return { ran, stream }
    } catch (error) {
      this.failure = { error }
      throw error
    } finally {
      this.ms = this.#clock.now() - began
    }
  }
}
