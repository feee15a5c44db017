import { type Cache, type Clock, type GetOrSetOptions, systemClock, toMs } from '@flow-cache/core'
import { copyOf } from '../guard.js'
import { defaults, type KeepingOptions } from '../options.js'
import { Runs } from '../runs.js'
import type { Pace } from '../stream/playback.js'
import { plainRules, type StreamRules } from '../stream/rules.js'
import { Books } from './books.js'

/** What all calls of a step have in common: its options, with the defaults filled in. */
export interface Setup {
  readonly options: KeepingOptions
  readonly cache: Cache
  readonly runs: Runs
  readonly clock: Clock
  readonly rules: StreamRules
  readonly maxBytes: number
  /** Makes a chunk of a stream the reader's own. */
  readonly copy: <V>(chunk: V) => V
  readonly pace: Pace
  /** Whether a run goes on when all its callers have left. */
  readonly finishes: boolean
  readonly books: Books
  /** How the cache is asked, beside what a call says. */
  readonly keeping: GetOrSetOptions
}

export function setupOf(options: KeepingOptions): Setup {
  const { cache, clock = systemClock, stream = {} } = options
  return {
    options,
    cache,
    runs: Runs.of(cache),
    clock,
    rules: stream.rules ?? plainRules,
    maxBytes: stream.maxBytes ?? defaults.maxBytes,
    copy: options.copy === 'share' ? (chunk) => chunk : copyOf,
    pace: stream.pace ?? defaults.pace,
    finishes: stream.onAbort === 'finish',
    books: new Books(options, clock),
    keeping: keepingOf(options),
  }
}

/** How a cache is asked for what these options say. */
export function keepingOf({ ttl, stale, staleIfError }: KeepingOptions): GetOrSetOptions {
  const graces = [stale, staleIfError]
    .filter((grace) => grace !== undefined)
    .map((grace) => toMs(grace, 'stale'))
  return {
    copy: 'share',
    ...(ttl !== undefined && { ttl }),
    ...(graces.length > 0 && { grace: Math.max(...graces) }),
    ...(stale !== undefined && { timeouts: { soft: 0 } }),
  }
}
