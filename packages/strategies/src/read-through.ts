import {
  type Cache,
  type Clock,
  type Duration,
  type Loader,
  type LoadingOptions,
  type LoadMany,
  systemClock,
  toMs,
} from '@flow-cache/core'
import { type Batcher, batcher, endOfTick } from './batcher.js'
import { withCall } from './cache-aside.js'
import type { CallOptions } from './call.js'
import { checkCount, checkParts } from './checks.js'
import { readThroughDefaults } from './options.js'
import type { ReadsMany } from './origin.js'

/** What {@link ReadThrough} takes, beside the options of any read. */
export interface ReadThroughOptions<V> extends LoadingOptions {
  readonly cache: Cache
  readonly origin: ReadsMany<V>
  /** How many keys one `readMany` is asked for at most; more make further calls, side by side. Default: 1,000. */
  readonly maxBatch?: number | undefined
  /**
   * How long the first miss waits for others to go with it. Default: `0`, to the end of the tick, which costs nothing.
   * A longer wait gathers more where requests trickle in, and every miss pays for it.
   */
  readonly gatherFor?: Duration | undefined
  /** Where the time of `gatherFor` comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/**
 * Reads from the cache, and gathers what is missing within one tick into one `readMany` of the origin.
 *
 * One load per key at a time, whoever asks for it and in whatever company. A key that the origin's answer leaves out is
 * `undefined`, and kept like a value for `negativeTtl`. A batch that fails is the failure of all its keys and of no
 * other; its error comes as it was thrown, where no stale value stands in. A hit costs what it costs in the cache.
 */
export class ReadThrough<V> {
  readonly #cache: Cache
  readonly #options: LoadingOptions | undefined
  readonly #load: Loader<V | undefined>
  readonly #loadMany: LoadMany<V | undefined>

  constructor(options: ReadThroughOptions<V>) {
    const { maxBatch, gatherFor, clock, ...parts } = options ?? {}
    this.#options = checkParts('ReadThrough', parts, ['readMany'])
    this.#cache = parts.cache
    const batch = gathering(parts.origin, { maxBatch, gatherFor, clock })
    this.#load = ({ key, signal }) => batch.load(key, signal)
    this.#loadMany = async (keys, { signal }) => {
      const values = await Promise.all(keys.map((key) => batch.load(key, signal)))
      return new Map(keys.map((key, i) => [key, values[i]]))
    }
  }

  /** The value, or `undefined` if the origin has none. */
  get(key: string, options?: CallOptions): Promise<V | undefined> {
    return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
  }

  /**
   * The values of several keys, in a `Map` in their order that leaves out what the origin does not have. Misses of
   * other callers in the same tick go to the origin together with them. One failing batch fails the call.
   */
  async getMany(keys: Iterable<string>, options?: CallOptions): Promise<Map<string, V>> {
    const values = await this.#cache.getOrSetMany(keys, this.#loadMany, withCall(this.#options, options))
    for (const [key, value] of values) if (value === undefined) values.delete(key)
    return values as Map<string, V>
  }

  /** Removes the entry and leaves the origin alone: call it when the origin has changed, and not before. */
  delete(key: string): Promise<boolean> {
    return this.#cache.delete(key)
  }
}

function gathering<V>(
  origin: ReadsMany<V>,
  options: Pick<ReadThroughOptions<V>, 'maxBatch' | 'gatherFor' | 'clock'>,
): Batcher<V> {
  const maxBatch = checkCount(options.maxBatch ?? readThroughDefaults.maxBatch, 'maxBatch')
  const ms = toMs(options.gatherFor ?? readThroughDefaults.gatherFor, 'gatherFor')
  const clock = options.clock ?? systemClock
  return batcher(origin, maxBatch, ms === 0 ? endOfTick : (start) => void clock.setTimer(start, ms, true))
}
