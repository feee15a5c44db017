import type { WorkflowEvent } from '@flow-cache/node'
import type { Answer, AskOptions } from './answer.js'
import { type BriefPart, briefOf } from './brief-parts.js'
import type { Chunked } from './desk-nodes.js'
import { noteOf } from './note.js'
import type { Progress } from './pace.js'
import { type Step, stepOf, type StepName } from './steps.js'

/** Follows one run of the desk's workflow: passes on what whoever asked wants to hear, and gathers the answer. */
export class Following {
  readonly #options: AskOptions
  readonly #steps: Step[] = []
  readonly #parts: BriefPart[] = []
  #chunked: Chunked | undefined
  #told: NodeJS.Immediate | undefined
  #share = 0

  constructor(options: AskOptions) {
    this.#options = options
  }

  take(event: WorkflowEvent): void {
    if (event.type === 'chunk') this.#chunk(event.nodeId as StepName, event.chunk as Progress | BriefPart)
    else if (event.type === 'node-end') this.#end(event)
  }

  answer(question: string): Answer {
    const { chunks: _, ...corpus } = this.#chunked as Chunked
    const ms = this.#steps.reduce((sum, step) => sum + step.ms, 0)
    return { question, brief: briefOf(this.#parts), steps: this.#steps, corpus, ms }
  }

  #chunk(step: StepName, chunk: Progress | BriefPart): void {
    const { onProgress, onPart } = this.#options
    if ('type' in chunk) {
      this.#parts.push(chunk)
      onPart?.(chunk)
      return
    }
    // A turn later, unless the step is done by then: a hit emits again what its run did.
    this.#share = chunk.progress
    if (onProgress === undefined) return
    this.#told ??= setImmediate(() => {
      this.#told = undefined
      onProgress(step, this.#share)
    })
  }

  #end({ nodeId, report, output }: WorkflowEvent & { type: 'node-end' }): void {
    clearImmediate(this.#told)
    this.#told = undefined
    if (report.status !== 'success') return
    const name = nodeId as StepName
    if (name === 'chunk') this.#chunked = output as Chunked
    const step = stepOf(name, report, noteOf(name, output, report.cache?.items))
    this.#steps.push(step)
    this.#options.onStep?.(step)
  }
}
