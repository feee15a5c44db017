import type { Clock } from '@flow-cache/core'
import type { StreamRules } from './rules.js'
import type { Source } from './streams.js'
import { ReplayBuffer } from './replay-buffer.js'

/** The chunks of one stream, and how many milliseconds after the one before each came. */
export interface Recorded {
  readonly chunks: readonly unknown[]
  readonly delays: readonly number[]
}

/** How chunks are written down. */
export interface RecordingOptions {
  readonly rules: StreamRules
  readonly clock: Clock
  readonly maxBytes: number
  /** Makes a chunk that nobody else changes. */
  readonly copy: <V>(chunk: V) => V
}

/** Writes down chunks while any number of readers gets them. */
export class Recording {
  readonly buffer: ReplayBuffer
  readonly #copy: <V>(chunk: V) => V
  readonly #rules: StreamRules
  readonly #clock: Clock
  #left: number
  #last: number
  #chunks: unknown[] = []
  #delays: number[] = []

  constructor(options: RecordingOptions) {
    this.buffer = new ReplayBuffer(options.copy, options.maxBytes)
    this.#copy = options.copy
    this.#rules = options.rules
    this.#clock = options.clock
    this.#left = options.maxBytes
    this.#last = options.clock.now()
  }

  /** Whether it all fitted; what did not is still given to those who read along. */
  get fits(): boolean {
    return this.#left >= 0
  }

  push(given: unknown): void {
    // The source may use one object for all of its chunks.
    const chunk = this.#copy(given)
    const bytes = sizeOf(chunk)
    if (this.fits && this.#rules.keep(chunk)) {
      const now = this.#clock.now()
      this.#left -= bytes
      this.#chunks.push(chunk)
      this.#delays.push(Math.round(now - this.#last))
      this.#last = now
      if (!this.fits) {
        this.#chunks = []
        this.#delays = []
      }
    }
    this.buffer.push(chunk, bytes)
  }

  /** What is to be stored, or `undefined` if it is not whole or was too much. */
  whole(): Recorded | undefined {
    if (!this.fits || !this.#rules.isWhole(this.#chunks)) return undefined
    return { chunks: this.#chunks, delays: this.#delays }
  }

  /** Reads the source to its end, as fast as the buffer has room. Its error goes to the readers, and to the caller. */
  async drain(source: Source, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      const give = (): void => reject(signal.reason as Error)
      if (signal.aborted) give()
      else signal.addEventListener('abort', give, { once: true })
    })
    aborted.catch(() => {})
    try {
      // One race for all chunks: one each would hold every chunk until the signal aborts.
      await Promise.race([this.#follow(source, signal), aborted])
      this.buffer.end()
    } catch (error) {
      this.buffer.fail(error)
      if (signal.aborted) source.stop(error).catch(() => {})
      throw error
    }
  }

  async #follow(source: Source, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.buffer.room()
      signal.throwIfAborted()
      const { done, value } = await source.next()
      signal.throwIfAborted()
      if (done === true) return
      this.push(value)
    }
  }
}

/** About how many bytes a chunk takes. */
function sizeOf(chunk: unknown): number {
  if (typeof chunk === 'string') return chunk.length
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength
  try {
    return JSON.stringify(chunk)?.length ?? 8
  } catch {
    return 64
  }
}
