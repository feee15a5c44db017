import type { NodeResult } from './node.js'
import type { Effect } from './guard.js'
import type { Recorded } from './stream/recording.js'
import type { StreamKind } from './stream/streams.js'

/** What is stored of one run: plain data, without the input, the scope, or anything else of the request. */
export interface Kept {
  readonly format: 1
  /** The whole key it was written under: an entry that turns up under another is not used. */
  readonly key: string
  readonly result: NodeResult
  readonly effects: readonly Effect[]
  /** What was emitted. */
  readonly emitted: Recorded
  /** The output, where it is a stream; `result.output` is `null` then. */
  readonly stream?: Recorded & { readonly kind: StreamKind }
  readonly cost: { readonly ms: number; readonly tokens: number; readonly usd: number }
  readonly at: number
  readonly ttlMs: number
}

/** Whether it is what was written under this key; anything may be in a shared store. */
export function isKept(value: unknown, key: string): value is Kept {
  if (typeof value !== 'object' || value === null) return false
  const kept = value as Partial<Kept>
  return (
    kept.format === 1 &&
    kept.key === key &&
    typeof kept.result === 'object' &&
    kept.result !== null &&
    typeof kept.result.success === 'boolean' &&
    (kept.result.success || (typeof kept.result.error === 'object' && kept.result.error !== null)) &&
    Array.isArray(kept.effects) &&
    kept.effects.every((effect: unknown) => Array.isArray(effect) && typeof effect[0] === 'string') &&
    isRecorded(kept.emitted) &&
    (kept.stream === undefined || isRecorded(kept.stream)) &&
    typeof kept.cost === 'object' &&
    kept.cost !== null &&
    [kept.cost.ms, kept.cost.tokens, kept.cost.usd].every((spent) => typeof spent === 'number') &&
    typeof kept.at === 'number'
  )
}

const isRecorded = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Array.isArray((value as Recorded).chunks) &&
  Array.isArray((value as Recorded).delays)
