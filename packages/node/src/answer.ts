import type { NodeResult } from './node.js'
import type { Effect } from './guard.js'
import type { Recorded } from './stream/recording.js'
import type { StreamKind } from './stream/streams.js'

/**
 * How a call was answered.
 *
 * - `hit`, `stale`: from the cache.
 * - `miss`, `refresh`: it ran.
 * - `shared`: somebody else's run, that was under way.
 * - `bypass`: it ran, and the cache had no part in it.
 */
export type Status = 'hit' | 'miss' | 'shared' | 'stale' | 'refresh' | 'bypass'

/** What a cached node says of its answer, in `metadata.cache`. */
export interface CacheInfo {
  readonly status: Status
  /** Absent where none was made. */
  readonly key?: string
  /** Why it missed or was bypassed: `cold`, `inputs`, `version`, `scope`, `workflow`, `expired`, `cache-error`, … */
  readonly reason?: string
  readonly ageMs?: number
  /** For how long it stays fresh. */
  readonly ttlMs?: number
  /** What the cache itself took. */
  readonly lookupMs: number
  readonly savedMs?: number
  /** Of a `cacheMap`: how many items were there, and how many had to run. */
  readonly items?: { readonly hits: number; readonly misses: number }
  readonly saved?: { readonly tokens: number; readonly usd: number }
}

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
    (kept.result.success || typeof kept.result.error === 'object') &&
    Array.isArray(kept.effects) &&
    isRecorded(kept.emitted) &&
    (kept.stream === undefined || isRecorded(kept.stream)) &&
    typeof kept.cost === 'object' &&
    kept.cost !== null &&
    typeof kept.at === 'number'
  )
}

const isRecorded = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Array.isArray((value as Recorded).chunks) &&
  Array.isArray((value as Recorded).delays)
