import type { Run } from '../run.js'
import type { Question } from './call.js'
import { onAbort } from './on-abort.js'
import type { Setup } from './setup.js'

/**
 * A caller's place at the run of a key: it hears what is emitted and learns when a stream begins. Leaving it ends the
 * caller's wait, and the run where nobody else waits.
 */
export class Seat {
  /** The run it is at. Who sees a second one begin stays with the first. */
  run: Run | undefined
  /** Aborts when the caller leaves, or its own signal does. */
  readonly leaving: AbortController = new AbortController()
  /** Rejects then. */
  readonly left: Promise<never>
  /** Resolves once there is a run. */
  readonly attached: Promise<Run>
  readonly #giveUp: () => void
  readonly #unlink: () => void
  #stopListening = (): void => {}

  constructor({ runs }: Setup, { call, key }: Question, joinsRunning: boolean) {
    this.left = abortOf(this.leaving.signal)
    this.#unlink = linked(call.signal, this.leaving)
    let attach!: (run: Run) => void
    this.attached = new Promise<Run>((resolve) => (attach = resolve))
    this.#giveUp = runs.join(
      key,
      (run) => {
        if (this.run !== undefined) return
        this.run = run
        this.#stopListening = run.listen(call.emit)
        attach(run)
      },
      joinsRunning,
    )
  }

  /** Waits for no further run. It goes on hearing the one it is at. */
  settle(): void {
    this.#giveUp()
  }

  /** The caller has got everything: what becomes of its signal from here on says nothing about the run. */
  stay(): void {
    this.#unlink()
  }

  /** All is over. */
  free(): void {
    this.#giveUp()
    this.#unlink()
    this.#stopListening()
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
  return signal === undefined ? () => {} : onAbort(signal, () => controller.abort(signal.reason))
}
