import {
  type Cache,
  type Clock,
  type LoadContext,
  type Loader,
  type LoadingOptions,
  type Random,
  systemClock,
  systemRandom,
  type Timer,
  toMs,
} from '@flow-cache/core'
import { withCall } from './cache-aside.js'
import type { CallOptions } from './call.js'
import { checkCount, checkParts, checkShare } from './checks.js'
import { refreshAheadDefaults } from './options.js'
import type { Reads } from './origin.js'

/** What {@link RefreshAhead} takes, beside the options of any read. */
export interface RefreshAheadOptions<V> extends Omit<LoadingOptions, 'refreshAhead' | 'beta'> {
  readonly cache: Cache
  readonly origin: Reads<V>
  /** The share of its `ttl`, from 0.1 to 0.99, after which an entry in use is loaded anew. Default: 0.8. */
  readonly factor?: number | undefined
  /**
   * The largest share of that time, from 0 to 0.9, that is taken off at random, so that keys which were loaded together
   * are not refreshed together. Default: 0.1.
   */
  readonly spread?: number | undefined
  /** How many keys are refreshed at the same time; the others wait. Default: 4. */
  readonly concurrency?: number | undefined
  /** How many keys are kept fresh at the same time. One more, and the one refreshed longest ago is let go. Default: 10,000. */
  readonly maxKeys?: number | undefined
  /** Where time comes from: that of the cache. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Where `spread` draws from. Default: the system's. */
  readonly random?: Random | undefined
}

/** A key that is kept fresh. */
interface Tracked {
  /** Whether somebody has read it since it was last refreshed. */
  used: boolean
  /** For how long what was loaded here is fresh, in milliseconds; `0` where it was loaded elsewhere. */
  ttl: number
  /** Whether a refresh is under way. */
  refreshing: boolean
  timer: Timer
}

/** An entry with less than this to go, in milliseconds, is not worth a second try. */
const shortest = 100

/**
 * Keeps what is read fresh before it ends, and lets go what nobody reads any more: an entry that was read at least once
 * since its last refresh is loaded anew when `factor` of its `ttl` has passed, whether or not somebody reads it then. So
 * readers of a key in use never wait.
 *
 * A refresh replaces the entry when it succeeds; if it fails, the entry stays and the refresh is tried again when half
 * of what is left has passed. Failures are the cache's `loadError` events, never an unhandled rejection. Each process
 * keeps fresh what it reads itself. Keys with a `ttl` of `Infinity` have no end and are left alone.
 *
 * Holds a timer for each key, none of which keeps the process alive. `close()` ends all of it.
 */
export class RefreshAhead<V> {
  readonly #cache: Cache
  readonly #options: LoadingOptions | undefined
  readonly #load: (context: LoadContext) => Promise<V | undefined>
  readonly #settings: Readonly<Record<'factor' | 'spread' | 'concurrency' | 'maxKeys', number>>
  readonly #clock: Clock
  readonly #random: Random
  /** The one refreshed longest ago is the first. */
  readonly #keys = new Map<string, Tracked>()
  /** Keys that are due, and wait for others to be done. */
  readonly #due = new Set<string>()
  readonly #running = new Set<Promise<void>>()
  readonly #end = new AbortController()

  constructor(options: RefreshAheadOptions<V>) {
    const { factor, spread, concurrency, maxKeys, clock, random, ...parts } = options ?? {}
    this.#options = checkParts('RefreshAhead', parts, ['read'])
    for (const name of ['refreshAhead', 'beta']) {
      if (name in parts) throw new TypeError(`RefreshAhead has factor in place of ${name}`)
    }
    this.#settings = {
      factor: checkShare(factor ?? refreshAheadDefaults.factor, 'factor', 0.1, 0.99),
      spread: checkShare(spread ?? refreshAheadDefaults.spread, 'spread', 0, 0.9),
      concurrency: checkCount(concurrency ?? refreshAheadDefaults.concurrency, 'concurrency'),
      maxKeys: checkCount(maxKeys ?? refreshAheadDefaults.maxKeys, 'maxKeys'),
    }
    this.#clock = clock ?? systemClock
    this.#random = random ?? systemRandom
    this.#cache = parts.cache
    this.#load = async ({ key, signal }) => parts.origin.read(key, { signal })
  }

  /** How many keys are kept fresh at the moment. */
  get size(): number {
    return this.#keys.size
  }

  /** The value, or `undefined` if the origin has none. From now on the key is kept fresh while it is used. */
  get(key: string, options?: CallOptions): Promise<V | undefined> {
    const tracked = this.#keys.get(key)
    if (tracked !== undefined) {
      tracked.used = true
      if (tracked.refreshing) return this.#meanwhile(key, options)
      return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
    }
    return this.#first(key, options)
  }

  /** Removes the entry and leaves the origin alone: call it when the origin has changed. The key is let go. */
  delete(key: string): Promise<boolean> {
    this.#letGo(key)
    return this.#cache.delete(key)
  }

  /** Ends every timer and waits for the refreshes under way, which are told to stop. Reads go on. Safe to call twice. */
  async close(): Promise<void> {
    this.#end.abort(new Error('RefreshAhead is closed'))
    for (const key of this.#keys.keys()) this.#letGo(key)
    await Promise.all(this.#running)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Reads beside a refresh. The cache would have a reader of a store far away join the load. */
  async #meanwhile(key: string, options: CallOptions | undefined): Promise<V | undefined> {
    options?.signal?.throwIfAborted()
    const entry = await this.#cache.getEntry<V | undefined>(key)
    if (entry?.state === 'fresh') return entry.value
    return this.#cache.getOrSet(key, this.#load, withCall(this.#options, options))
  }

  async #first(key: string, options: CallOptions | undefined): Promise<V | undefined> {
    let ttl = 0
    const load: Loader<V | undefined> = async (context) => {
      const value = await this.#load(context)
      ttl = this.#ttlOf(value, context)
      return value
    }
    const value = await this.#cache.getOrSet(key, load, withCall(this.#options, options))
    const known = this.#keys.get(key)
    if (known !== undefined) known.used = true
    else if (!this.#end.signal.aborted) {
      if (this.#keys.size >= this.#settings.maxKeys) this.#letGo(this.#keys.keys().next().value as string)
      const tracked: Tracked = { used: false, ttl, refreshing: false, timer: undefined }
      this.#keys.set(key, tracked)
      this.#run(key, this.#plan(key, tracked))
    }
    return value
  }

  /** For how long what was loaded is fresh, as far as the options tell. */
  #ttlOf(value: unknown, { options }: LoadContext): number {
    const { ttl = 0, negativeTtl = ttl, jitter = 0 } = options
    const { maxTtl = Infinity } = this.#options ?? {}
    const whole = toMs(value === null || value === undefined ? negativeTtl : ttl, 'ttl')
    return Math.min(whole, toMs(maxTtl, 'maxTtl')) * (1 - jitter)
  }

  /** Sets the timer for the entry that is there, or lets the key go. */
  async #plan(key: string, tracked: Tracked): Promise<void> {
    const now = await this.#look(key, tracked)
    if (now === undefined) return
    let wait = now.dueAt * (1 - this.#settings.spread * this.#random()) - now.ageMs
    if (wait <= 0) {
      // Its time has come and it was not refreshed: once more, half-way to its end.
      wait = now.ttlMs / 2
      if (wait < shortest) {
        this.#keys.delete(key)
        return
      }
    }
    tracked.timer = this.#clock.setTimer(() => this.#isDue(key, tracked), wait, false)
  }

  /** How old the entry is, and at what age it is due; `undefined` where the key was let go, now or before. */
  async #look(
    key: string,
    tracked: Tracked,
  ): Promise<Readonly<Record<'ageMs' | 'ttlMs' | 'dueAt', number>> | undefined> {
    const { state, ageMs = 0, ttlMs = 0 } = await this.#cache.explain(key)
    if (this.#keys.get(key) !== tracked) return undefined
    if (state === 'fresh' && ttlMs < Infinity) {
      // A tier in memory may end an entry sooner than the one behind it, and would have it refreshed too often.
      return { ageMs, ttlMs, dueAt: Math.max(tracked.ttl, ageMs + ttlMs) * this.#settings.factor }
    }
    this.#keys.delete(key)
    return undefined
  }

  #isDue(key: string, tracked: Tracked): void {
    tracked.timer = undefined
    if (this.#keys.get(key) !== tracked) return
    if (!tracked.used) {
      this.#keys.delete(key)
      return
    }
    this.#due.add(key)
    this.#next()
  }

  #next(): void {
    for (const key of this.#due) {
      if (this.#running.size >= this.#settings.concurrency) return
      this.#due.delete(key)
      const tracked = this.#keys.get(key)
      if (tracked !== undefined) this.#run(key, this.#refresh(key, tracked))
    }
  }

  async #refresh(key: string, tracked: Tracked): Promise<void> {
    const { signal } = this.#end
    const now = await this.#look(key, tracked)
    if (now === undefined) return
    // Another process may have loaded it meanwhile.
    if (now.ageMs >= Math.floor(now.dueAt * (1 - this.#settings.spread))) {
      tracked.used = false
      tracked.refreshing = true
      let succeeded = false
      const load: Loader<V | undefined> = async (context) => {
        const value = await this.#load(context)
        tracked.ttl = this.#ttlOf(value, context)
        succeeded = true
        return value
      }
      // A failure is told of by the cache; the entry stays as it is.
      await this.#cache.getOrSet(key, load, { ...this.#options, forceRefresh: true, signal }).catch(() => {})
      tracked.refreshing = false
      if (this.#keys.get(key) !== tracked) return
      if (!succeeded) tracked.used = true
      this.#keys.delete(key)
      this.#keys.set(key, tracked)
    }
    await this.#plan(key, tracked)
  }

  /** Keeps count of the work, and begins what waits for it. */
  #run(key: string, work: Promise<void>): void {
    const done = work
      // A cache that is closed has nothing to keep fresh.
      .catch(() => this.#letGo(key))
      .finally(() => {
        this.#running.delete(done)
        this.#next()
      })
    this.#running.add(done)
  }

  #letGo(key: string): void {
    const tracked = this.#keys.get(key)
    if (tracked === undefined) return
    this.#clock.clearTimer(tracked.timer)
    this.#keys.delete(key)
    this.#due.delete(key)
  }
}
