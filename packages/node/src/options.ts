import type { Cache, Clock, Duration } from '@flow-cache/core'
import {
  checkDuration,
  checkFunctions,
  checkNames,
  checkObject,
  checkOneOf,
  checkText,
  wrong,
} from './checks.js'
import type { CacheInfo } from './cache-info.js'
import type { NodeKeyOptions } from './key.js'
import type { NodeFailure, NodeResult } from './node.js'
import type { Cost, Pricing } from './price.js'
import type { Savings } from './savings.js'
import type { Pace } from './stream/playback.js'
import type { StreamRules } from './stream/rules.js'

/** How streams and emitted chunks are recorded and given again. */
export interface StreamOptions {
  /** How fast a hit gives the chunks. Default: `'instant'`. */
  readonly pace?: Pace | undefined
  /**
   * A longer stream goes to those who read along, and is not stored. About bytes. Default: 4 MiB.
   *
   * Up to this length a stream is read from the node at once. Past it, a chunk is made when a reader asks for one and
   * no other reader is further behind than this: the fastest waits for the slowest. Whoever wants no more must leave.
   */
  readonly maxBytes?: number | undefined
  /**
   * When the last consumer leaves before the end.
   *
   * - `'discard'` (default): the run is aborted, nothing is stored.
   * - `'finish'`: it goes on, and is stored.
   */
  readonly onAbort?: 'discard' | 'finish' | undefined
  /** What is stored. Default: `plainRules`; `modelRules()` for a model's parts. */
  readonly rules?: StreamRules | undefined
}

/** What happened inside a cached step that no caller is told of. */
export type StepEvent =
  | { readonly type: 'error'; readonly nodeId: string; readonly during: string; readonly error: unknown }
  | { readonly type: 'undeclared-read'; readonly nodeId: string; readonly variable: string }
  | { readonly type: 'not-stored'; readonly nodeId: string; readonly reason: string }

/** What holds for a cached step of any kind. */
export interface KeepingOptions extends NodeKeyOptions {
  /** Where answers are kept. Yours: close it when you are done. */
  readonly cache: Cache
  /** For how long an answer is fresh. Default: the cache's own. */
  readonly ttl?: Duration | undefined
  /** How long after `ttl` an old answer is given at once while a new one is made behind. Default: never. */
  readonly stale?: Duration | undefined
  /** How long after `ttl` an old answer is given when the step fails. Default: never. */
  readonly staleIfError?: Duration | undefined
  /** How long a failure is remembered. Default: `0`, not at all. */
  readonly negativeTtl?: ((error: NodeFailure) => Duration) | undefined
  /**
   * What of an output callers are given.
   *
   * - `'clone'` (default): a copy each; what one does to it, nobody else sees.
   * - `'share'`: the very object that is kept. For outputs that are large and that nobody changes: copying an index of
   *   30 MB would take longer than many a step.
   */
  readonly copy?: 'clone' | 'share' | undefined
  /** Whether a result is worth keeping. Asked before it is written and again after it was read. */
  readonly store?: ((result: NodeResult) => boolean) | undefined
  /** What a run took, beside time. `chunks` are those of its stream. */
  readonly cost?: ((result: NodeResult, chunks: readonly unknown[]) => Cost | undefined) | undefined
  /** Prices by model, for costs that name one. Default: none. */
  readonly pricing?: Pricing | undefined
  readonly stream?: StreamOptions | undefined
  /**
   * When no key can be made of the input.
   *
   * - `'throw'` (default): a `CacheKeyError` that says where.
   * - `'bypass'`: it runs uncached, and `onEvent` hears of it.
   */
  readonly onKeyError?: 'throw' | 'bypass' | undefined
  /** Where savings are counted; give several nodes the same one for a total. Default: one of its own. */
  readonly savings?: Savings | undefined
  readonly onHit?: ((info: CacheInfo) => void) | undefined
  readonly onMiss?: ((info: CacheInfo) => void) | undefined
  readonly onEvent?: ((event: StepEvent) => void) | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** What is used where an option is left out. */
export const defaults: {
  readonly pace: Pace
  readonly maxBytes: number
  readonly version: string
} = Object.freeze({ pace: 'instant', maxBytes: 4 * 1024 * 1024, version: '0' })

const names: readonly string[] =
  'cache,ttl,stale,staleIfError,negativeTtl,copy,store,cost,pricing,stream,onKeyError,savings,onHit,onMiss,onEvent,clock,codecs,allowToJSON,maxBytes,keySecret'.split(
    ',',
  )

/** Refuses options that are wrong, by name. `own` are those that only this kind of step knows, `taken` what it has of all. */
export function checkKeeping(
  options: KeepingOptions,
  own: readonly string[],
  where: string,
  taken: readonly string[] = names,
): void {
  checkObject(options, `${where}'s options`)
  checkNames(options, [...taken, ...own], where)
  const cache = options.cache as Partial<Cache> | undefined
  if (typeof cache?.getOrSet !== 'function' || typeof cache.getEntry !== 'function')
    wrong('cache', 'a Cache', options.cache)
  for (const name of ['ttl', 'stale', 'staleIfError'] as const) checkDuration(options[name], name)
  checkFunctions(options, ['negativeTtl', 'store', 'cost', 'onHit', 'onMiss', 'onEvent'])
  checkOneOf(options.copy, ['clone', 'share'], 'copy')
  checkOneOf(options.onKeyError, ['throw', 'bypass'], 'onKeyError')
  if (options.keySecret !== undefined) checkText(options.keySecret, 'keySecret')
  if (options.stream === undefined) return
  checkObject(options.stream, 'stream')
  checkNames(options.stream, ['pace', 'maxBytes', 'onAbort', 'rules'], 'stream')
  const { pace, maxBytes, onAbort } = options.stream
  checkOneOf(onAbort, ['discard', 'finish'], 'stream.onAbort')
  if (typeof pace === 'object') {
    if (!(pace.ms >= 0) || pace.ms === Infinity)
      throw new RangeError(`stream.pace.ms must be 0 or more, got ${pace.ms}`)
  } else checkOneOf(pace, ['instant', 'recorded'], 'stream.pace')
  if (maxBytes !== undefined && !(maxBytes > 0))
    throw new RangeError(`stream.maxBytes must be more than 0, got ${maxBytes}`)
}
