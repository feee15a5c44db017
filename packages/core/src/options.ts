import type { Clock } from './clock.js'
import type { Duration, Volatility } from './duration.js'
import type { Random } from './random.js'
import type { Schema } from './schema.js'
import type { Store } from './store.js'

/** How a value is kept. */
export interface KeepOptions {
  /**
   * How long a new entry is fresh, in milliseconds or as `'5m'`. Default: `'5m'`.
   *
   * - `0`: do not keep it; what was there goes.
   * - `Infinity`: for ever.
   */
  readonly ttl?: Duration | undefined
  /** A name for a `ttl`, in its place: `'static'` 1 day, `'dynamic'` 5 minutes, `'realtime'` 5 seconds. */
  readonly volatility?: Volatility | undefined
  /**
   * How long after `ttl` a stale entry may still be served when the loader fails or is slow.
   *
   * - `0` (default): never; a read past `ttl` waits for the loader.
   * - Longer than your worst outage: readers keep getting answers while the origin is down.
   */
  readonly grace?: Duration | undefined
  /** The largest share of `ttl` that is taken off at random, from 0 (default) to 1, so that ends don't coincide. */
  readonly jitter?: number | undefined
  /** No `ttl` is longer, wherever it comes from. Default: `Infinity`. */
  readonly maxTtl?: Duration | undefined
  /** The `ttl` of `null` and `undefined`. Default: as for any value. */
  readonly negativeTtl?: Duration | undefined
  /** Labels by which many entries are invalidated. Given to a cache, they are added to those of each call. */
  readonly tags?: readonly string[] | undefined
  /**
   * The version of the value's layout. An entry of another version that comes from outside this process is
   * given to `migrate`, or is a miss.
   */
  readonly version?: number | string | undefined
  /**
   * What callers and cache share.
   *
   * - `'share'` (default): one object, for everyone; treat it as read-only.
   * - `'clone'`: each caller gets a copy, and the cache keeps one of its own. For plain data.
   * - `'freeze'`: one object for everyone, deeply frozen.
   *
   * The same for a hit, a load and a caller who joined one.
   */
  readonly copy?: 'share' | 'clone' | 'freeze' | undefined
}

/** How long a caller, a load and a store call may take. */
export interface Timeouts {
  /** After this, a stale value is served if there is one, and the load finishes behind. `0`: at once. Default: `Infinity`. */
  readonly soft?: Duration | undefined
  /** After this, the caller gets `ERR_TIMEOUT` (or a stale value), and the load finishes behind. Default: `Infinity`. */
  readonly hard?: Duration | undefined
  /** After this, a load is given up: its signal aborts, its value is dropped, another may begin. Default: `'5m'`. */
  readonly load?: Duration | undefined
}

/** How a value is read and loaded. */
export interface LoadingOptions extends KeepOptions {
  readonly timeouts?: Timeouts | undefined
  /** The share of `ttl`, from 0 to 1, after which a hit loads anew in the background. Default: never. */
  readonly refreshAhead?: number | undefined
  /**
   * Loads anew in the background at a random moment before the end, the sooner the longer a load takes; `1` is
   * the usual strength. (XFetch: Vattani et al., "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.)
   * Default: never.
   */
  readonly beta?: number | undefined
  /**
   * For how long a failed load is not tried again; callers get the stale value, or the same error.
   * Default: 10 seconds where there is a stale value to serve, otherwise `0`.
   */
  readonly errorTtl?: Duration | undefined
  /** Checks what comes from outside this process; a value that fails is a miss. What it returns is the value. */
  readonly schema?: Schema | undefined
  /** Turns a value of an older `version` into one of this. Throwing makes it a miss. */
  readonly migrate?: ((value: unknown, version: number | string | undefined) => unknown) | undefined
  /** Is given each promise of work that outlives a call, such as a serverless platform's `waitUntil`. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** Options of one `set`. */
export interface SetOptions extends KeepOptions {}

/** Options of one `getOrSet`. */
export interface GetOrSetOptions extends LoadingOptions {
  /** Ends this caller's wait. The load goes on while anybody else waits for it. */
  readonly signal?: AbortSignal | undefined
  /** Load anew, whatever is there; the stale value is still served if that fails. */
  readonly forceRefresh?: boolean | undefined
  /**
   * - `'read'`: as if nothing were there.
   * - `'write'`: what is loaded is not kept.
   * - `'both'`: as if there were no cache: the loader runs for this caller alone.
   */
  readonly skip?: 'read' | 'write' | 'both' | undefined
}

/** The options a loader may change while it runs. */
export interface LoadOptions {
  ttl?: Duration | undefined
  grace?: Duration | undefined
  jitter?: number | undefined
  negativeTtl?: Duration | undefined
  tags?: readonly string[] | undefined
  version?: number | string | undefined
}

/** When the store is left alone. */
export interface CircuitOptions {
  /** How many failures in a row open the circuit. Default: 3. */
  readonly failures?: number | undefined
  /** How long it stays open before one call is let through to try. Default: `'1s'`. */
  readonly cooldown?: Duration | undefined
}

/** Keeps what belongs to one chain of calls. `new AsyncLocalStorage()` from `node:async_hooks` is one. */
export interface AsyncContext {
  run<T>(value: unknown, callback: () => T): T
  getStore(): unknown
}

/** What any cache is made with, beside its store. */
export interface CacheSettings extends LoadingOptions {
  /** The cache's name in its error messages. Default: `'cache'`. */
  readonly name?: string | undefined
  /** `store`: how long a call to the store may take, and 2 ms more for each further key. Default: `'200ms'`. */
  readonly timeouts?: (Timeouts & { readonly store?: Duration | undefined }) | undefined
  /** When a failing store is left alone. */
  readonly circuit?: CircuitOptions | undefined
  /**
   * What becomes of a failing store call.
   *
   * - `'ignore'` (default): an `error` event; a read is a miss, a write is not kept.
   * - `'throw'`: the caller gets the `CacheError`.
   * - a function: is given it, and may throw one of its own.
   */
  readonly onStoreError?: 'ignore' | 'throw' | ((error: Error) => void) | undefined
  /** How many loads may be under way; one more gets the stale value or `ERR_TOO_MANY_LOADS`. Default: 100,000. */
  readonly maxLoads?: number | undefined
  /** How many tags (and namespaces) are known at once; the entries of one that is forgotten become misses. Default: 100,000. */
  readonly maxTags?: number | undefined
  /** How long another process waits for a holder that died while loading. Default: `'3s'`; a live holder renews. */
  readonly leaseTerm?: Duration | undefined
  /**
   * With `new AsyncLocalStorage()`, a loader that asks for the key it is loading gets `ERR_RECURSION` also after
   * an `await`, and through other keys. Without it, only before its first `await`; afterwards it waits for itself
   * until a timeout ends it.
   */
  readonly asyncContext?: AsyncContext | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

/** What {@link createCache} takes. */
export interface CacheOptions extends CacheSettings {
  /** Where entries are kept. The cache owns it: `close()` closes it. */
  readonly store: Store
}
