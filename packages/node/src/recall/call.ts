import type { CacheInfo } from '../cache-info.js'
import type { CacheControl } from '../control.js'
import type { Effect } from '../guard.js'
import type { KeyParts } from '../key.js'
import type { NodeResult } from '../node.js'
import type { Ran, Task } from '../run.js'

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

/** A call whose key is made. */
export interface Question {
  readonly call: Call
  readonly parts: KeyParts
  readonly key: string
  /** When the caller asked. */
  readonly began: number
}
