import { CacheError, type Clock, systemClock, systemRandom, toMs } from '@flow-cache/core'
import { checkCount, checkFunction, checkOptions, checkPositive } from './checks.js'
import type { Origin } from './filling.js'
import {
  type Analytics,
  type CacheWarmerOptions,
  defaults,
  type WarmOptions,
  type WarmReport,
} from './options.js'
import { Pace } from './pace.js'
import { type KeysWanted, type Retry, run, Wanted } from './run.js'
import { type Schedule, startSchedule } from './schedule.js'
import { type HotKey, readSnapshot, writeSnapshot } from './snapshot-file.js'

/** Keys to warm. */
export type KeysToWarm = Iterable<string> | AsyncIterable<string>

/**
 * Loads keys before anyone asks for them.
 *
 * It goes through the cache: what is fresh is not loaded, a key that somebody loads meanwhile is waited for, and where
 * the store lends keys, processes that warm together load each key once. A key that fails is tried again and then told
 * of in the report. Nothing ends a run early but `close`, and an iterable that fails or gives what is no string. Runs of
 * one warmer share its `concurrency` and `rate`.
 */
export class CacheWarmer<V = unknown> {
  readonly #origin: Origin
  readonly #batch: number
  readonly #retry: Retry
  readonly #schedules = new Set<Schedule>()
  readonly #runs = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(options: CacheWarmerOptions<V>) {
    check(options)
    const { cache, load, loadMany, retry = {}, clock = systemClock } = options
    const concurrency = checkCount(options.concurrency ?? defaults.concurrency, 'concurrency')
    const rate = checkPositive(options.rate ?? defaults.rate, 'rate')
    const many = checkCount(options.batch ?? defaults.batch, 'batch')
    const batch = load === undefined ? many : 1
    // A key that waits for its turn is lent to this process: others wait for it, so for no more than about a second.
    this.#batch = Math.min(batch, Math.max(1, Math.ceil(rate / concurrency)))
    this.#retry = {
      attempts: checkCount(retry.attempts ?? defaults.attempts, 'retry.attempts'),
      delay: toMs(retry.delay ?? defaults.delay, 'retry.delay'),
      maxDelay: toMs(retry.maxDelay ?? defaults.maxDelay, 'retry.maxDelay'),
      random: options.random ?? systemRandom,
    }
    this.#origin = {
      cache,
      load,
      loadMany,
      // Nobody waits: a failure is to be seen, and a slow load to be waited for.
      options: {
        ...options.options,
        errorTtl: 0,
        timeouts: { ...options.options?.timeouts, soft: Infinity, hard: Infinity },
      },
      pace: new Pace({ concurrency, rate, clock }),
      clock,
    }
  }

  /** Loads the keys that are not fresh. Resolves to what came of it, also when it was aborted. */
  async warm(keys: KeysToWarm, options: WarmOptions = {}): Promise<WarmReport> {
    if (!isIterable(keys)) throw new TypeError('keys must be an iterable or an async iterable of strings')
    checkRun(options)
    const counted = keys as { readonly length?: unknown; readonly size?: unknown }
    const total =
      options.total ?? (counted.length as number | undefined) ?? (counted.size as number | undefined)
    return this.#run(keys, { ...options, ...(typeof total === 'number' && { total }) })
  }

  /** Loads the keys that were asked for most in this cache's namespace. */
  warmFromAnalytics(
    analytics: Analytics,
    options: WarmOptions & { readonly top?: number | undefined } = {},
  ): Promise<WarmReport> {
    try {
      checkOptions(options, ['top', ...optionNames], 'options')
      const { top = defaults.top, ...rest } = options
      return this.warm(this.#hottest(analytics, top), rest)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Writes to a file which keys are hot and when their entries end, to be warmed again after a deploy. Keys that are
   * not fresh are left out. Answers with how many it wrote. `from`: analytics, of which the `top` are taken, or keys.
   */
  async snapshot(
    file: string,
    from: Analytics | Iterable<string>,
    options: { readonly top?: number | undefined } = {},
  ): Promise<number> {
    const { cache, clock } = this.#origin
    checkOptions(options, ['top'], 'options')
    const { top = defaults.top } = options
    checkCount(top, 'top')
    const keys = isSync(from) ? firstOf(from, top) : this.#hottest(from, top)
    const hot: HotKey[] = []
    for (let i = 0; i < keys.length; i += defaults.batch) {
      const seen = await Promise.all(keys.slice(i, i + defaults.batch).map((key) => cache.explain(key)))
      for (const { key, state, ttlMs } of seen) {
        if (state !== 'fresh') continue
        hot.push([key, ttlMs === Infinity ? null : Math.round(clock.now() + ttlMs!)])
      }
    }
    await writeSnapshot(file, cache.name, hot)
    return hot.length
  }

  /**
   * Loads the keys of a snapshot, each for the time that its entry had left, so that they end as they would have; with
   * `loadMany`, all of one batch end with the first of them. Those whose time is over are not loaded. A file that is
   * missing, damaged or of another namespace is a `CacheError`, `ERR_SNAPSHOT`, and nothing is loaded.
   */
  async warmFromSnapshot(file: string, options: WarmOptions = {}): Promise<WarmReport> {
    const { cache, clock } = this.#origin
    const now = clock.now()
    const hot = await readSnapshot(file, cache.name)
    const left = hot.filter(([, endsAt]) => endsAt === null || endsAt > now)
    // Those of one batch end together: as little as can be is lost if they were to end together anyway.
    const wanted = left
      .map(([key, endsAt]) => new Wanted(key, endsAt === null ? undefined : endsAt - now))
      .toSorted((one, other) => (one.ttl ?? Infinity) - (other.ttl ?? Infinity))
    return this.#run(wanted, { ...options, total: wanted.length })
  }

  /**
   * Warms again and again: `when` is a cron expression (`'0 4 * * *'`, in the process's time zone) or an interval
   * (`'10m'`); the first run begins at that time, or when the interval has passed. `keys` is asked anew each time. A run is
   * never begun while the one before is under way.
   */
  schedule(
    when: string | number,
    keys: KeysToWarm | (() => KeysToWarm | Promise<KeysToWarm>),
    options: WarmOptions = {},
  ): Schedule {
    this.#assertOpen()
    if (typeof keys !== 'function' && !isIterable(keys)) {
      throw new TypeError(
        'keys must be an iterable or an async iterable of strings, or a function that gives one',
      )
    }
    checkRun(options)
    const schedule = startSchedule(
      when,
      async (stopped) => {
        const signal = options.signal === undefined ? stopped : AbortSignal.any([stopped, options.signal])
        return this.warm(typeof keys === 'function' ? await keys() : keys, { ...options, signal })
      },
      this.#origin.clock,
    )
    this.#schedules.add(schedule)
    return schedule
  }

  /** Stops every schedule, aborts the runs under way and waits for them. The cache is left open. */
  async close(): Promise<void> {
    for (const schedule of this.#schedules) schedule.stop()
    this.#schedules.clear()
    this.#closing.abort(new Error('the warmer was closed'))
    await Promise.allSettled(this.#runs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(wanted: KeysWanted, options: WarmOptions): Promise<WarmReport> {
    this.#assertOpen()
    checkRun(options)
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])]
    const signal = AbortSignal.any(signals)
    const running = run(this.#origin, wanted, this.#batch, this.#retry, { ...options, signal })
    this.#runs.add(running)
    return running.finally(() => this.#runs.delete(running))
  }

  #hottest(analytics: Analytics, top: number): readonly string[] {
    if (typeof analytics?.topKeys !== 'function') throw new TypeError('analytics must have topKeys')
    const mine = this.#origin.cache.name
    const keys: string[] = []
    for (const { key, namespace = '' } of analytics.topKeys(checkCount(top, 'top'))) {
      if (namespace === mine) keys.push(key)
    }
    return keys
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new CacheError('ERR_CLOSED', 'the warmer is closed')
  }
}

/** Whether it can be gone through. A string could, letter by letter, and is meant for a key. */
const isSync = (keys: unknown): keys is Iterable<string> =>
  typeof keys !== 'string' && typeof (keys as Iterable<string> | undefined)?.[Symbol.iterator] === 'function'

/** As many of them as that, and no more is taken. */
function firstOf(keys: Iterable<string>, most: number): readonly string[] {
  const first: string[] = []
  for (const key of keys) if (first.push(key) >= most) break
  return first
}

const isIterable = (keys: unknown): boolean =>
  isSync(keys) || typeof (keys as AsyncIterable<string> | undefined)?.[Symbol.asyncIterator] === 'function'

const optionNames = ['signal', 'onProgress', 'total']

function checkRun(options: WarmOptions): void {
  checkOptions(options, optionNames, 'options')
  const { signal, onProgress, total } = options
  checkFunction(onProgress, 'onProgress')
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError('signal must be an AbortSignal')
  }
  if (total === undefined) return
  if (typeof total !== 'number') throw new TypeError(`total must be a number, got ${typeof total}`)
  if (!(total >= 0)) throw new RangeError(`total must be a number from 0, got ${total}`)
}

function check<V>(options: CacheWarmerOptions<V>): void {
  const names = [
    'cache',
    'load',
    'loadMany',
    'batch',
    'concurrency',
    'rate',
    'retry',
    'options',
    'clock',
    'random',
  ]
  checkOptions(options, names, "CacheWarmer's options")
  const { cache, load, loadMany, retry = {} } = options
  if (typeof cache?.getOrSetMany !== 'function')
    throw new TypeError('cache must be a Cache: CacheWarmer fills one')
  checkFunction(load, 'load')
  checkFunction(loadMany, 'loadMany')
  if ((load === undefined) === (loadMany === undefined)) throw new TypeError('give one of load and loadMany')
  checkFunction(options.random, 'random')
  if (options.clock !== undefined) {
    const clock = options.clock as Partial<Clock> | null
    for (const name of ['now', 'setTimer', 'clearTimer'] as const)
      checkFunction(clock?.[name] ?? null, `clock.${name}`)
  }
  checkOptions(retry, ['attempts', 'delay', 'maxDelay'], 'retry')
  // A namespace looks at its defaults, and costs nothing.
  if (options.options !== undefined) cache.namespace('options', options.options)
}
