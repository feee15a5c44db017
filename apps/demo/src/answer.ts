import type { CacheControl } from '@flow-cache/node'
import type { Brief } from './brief.js'
import type { BriefPart } from './brief-parts.js'
import type { Chunked } from './desk-nodes.js'
import type { Step, StepName } from './steps.js'

/** How a question is asked. */
export interface AskOptions {
  /** Whose brief it is. Default: `'local'`. */
  readonly tenant?: string | undefined
  /** How this question uses the cache. */
  readonly mode?: CacheControl['mode']
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Is told now and then how far a step is, from 0 to 1. */
  readonly onProgress?: ((step: StepName, share: number) => void) | undefined
  /** Is told of each step when it is done. */
  readonly onStep?: ((step: Step) => void) | undefined
  /** Gets the brief part by part. */
  readonly onPart?: ((part: BriefPart) => void) | undefined
}

/** A brief, and how it came about. */
export interface Answer {
  readonly question: string
  readonly brief: Brief
  readonly steps: readonly Step[]
  readonly corpus: Omit<Chunked, 'chunks'>
  readonly ms: number
}
