import { attempt, ignore, isPromise } from './awaitable.js'
import type { Clock } from './clock.js'
import { DeadlineQueue } from './deadlines.js'
import { Debts } from './debts.js'
import { deferred } from './deferred.js'
import { CacheError, codeOf } from './errors.js'
import { type CacheEvents, type EventName, Events, type KeyEvent, type Listener } from './events.js'
import { Failures } from './failures.js'
import type { Flight } from './flight.js'
import type { Entry, TagVersion } from './entry.js'
import { Order } from './order.js'
import { timeoutFor } from './parts.js'
import type { Settings } from './plan.js'
import { described, type Target } from './scope.js'
import { counters, type Counters } from './stats.js'
import { type Guard, storeGuard } from './store-guard.js'
import type { Awaitable, Change, Local, Store } from './store.js'
import { TagTable } from './tag-table.js'
import { UnderWay } from './under-way.js'
import { allHits, type HitWatcher, type Watcher } from './watcher.js'

/** The nearest tier of a store in another process, and of a closed one. */
const nothing: Local = { get: () => undefined, peek: () => undefined }

/** Whether the error is about the value, and not about the store. */
const isRefusal = (error: unknown): boolean => codeOf(error) === 'ERR_VALUE'

/**
 * What a cache and all of its namespaces share: the store and what stands around it, the flight table, the
 * tags, and what is known of failures. The paths through it are in `reading.ts`, `loading.ts` and `writing.ts`.
 */
export class Engine {
  readonly store: Store
  /** The store's nearest tier, in this process; holds nothing once the cache is closed. */
  local: Local
  readonly clock: Clock
  readonly settings: Settings
  readonly guard: Guard
  /** The ends of loads that have the cache's own `timeouts.load`. */
  readonly limits: DeadlineQueue
  /** When leases are to be renewed. */
  readonly renewals: DeadlineQueue
  readonly tags: TagTable
  /** What the store is to do once it can again. */
  readonly debts: Debts = new Debts(this)
  /** Has changes of a key handed to the store in the order in which they were asked for. */
  readonly order: Order = new Order()
  readonly events: Events = new Events()
  readonly count: Counters = counters()
  readonly failures: Failures = new Failures()
  /** The load of each key that a new caller may join. */
  readonly flights: UnderWay<Flight> = new UnderWay()
  /** The read of each key that a new caller may share. */
  readonly looking: UnderWay<Promise<Entry | undefined>> = new UnderWay()
  /** Entries that are read to be written anew, and whether another change of the key has begun since. */
  readonly rewriting: Set<{ readonly storeKey: string; overtaken: boolean }> = new Set()
  /** How many reads for a load found nothing fresh in the store since one did. */
  inVain = 0
  /** Every load that has not ended, fenced ones included, each at its `place`. */
  readonly running: Flight[] = []
  /** Loaders at work whose load was not given up. */
  loading = 0
  closed = false
  /** Somebody listens to hits. A field, for the hot path. */
  tellsHits = false
  watchers: readonly Watcher[] = []
  /** Those who watch hits. A field of its own, for the hot path. */
  hitWatcher: HitWatcher | undefined
  /** The time to a millisecond or so; see `Clock.coarse`. */
  readonly coarse: () => number

  /** Keys that are being changed in a store that has not answered yet. */
  readonly #changing = new UnderWay<number>()
  /** The same for changes of many keys. */
  readonly #barriers = new Set<(storeKey: string) => boolean>()
  readonly #work = new Set<Promise<void>>()
  readonly #unfollow: readonly ((() => void) | undefined)[]

  constructor(settings: Settings) {
    const { store, clock } = settings
    this.store = store
    this.local = store.local ?? nothing
    this.clock = clock
    this.coarse = (clock.coarse ?? clock.now).bind(clock)
    this.settings = settings
    this.limits = new DeadlineQueue(clock, settings.timeouts.load, false)
    this.renewals = new DeadlineQueue(clock, settings.leaseTerm / 3, false)
    this.guard = storeGuard(settings, {
      onCircuit: (state) => this.events.emit('circuit', { state }),
      onRecovered: () => {
        this.tags.endMinted()
        this.debts.retry()
      },
    })
    this.tags = new TagTable(settings.maxTags, this.guard, store)
    this.#unfollow = [
      store.log?.follow({
        changed: (change) => this.#changed(change),
        lost: () => {
          this.tags.forgetAll()
          this.fenceWhere(() => true)
        },
        blind: (isBlind) => this.tags.trust(!isBlind),
        failed: (error) => this.report(error, 'follow the log'),
      }),
      store.evictions?.follow((storeKey) => {
        this.count.evictions++
        if (this.events.has('evict')) this.events.emit('evict', described(storeKey))
      }),
    ]
  }

  listen<E extends EventName>(name: E, listener: Listener<E>): () => void {
    const stop = this.events.on(name, listener)
    this.tellsHits = this.events.has('hit')
    return () => {
      stop()
      this.tellsHits = this.events.has('hit')
    }
  }

  watch(watcher: Watcher): () => void {
    const set = (watchers: readonly Watcher[]): void => {
      this.watchers = watchers
      this.hitWatcher = allHits(watchers)
    }
    set([...this.watchers, watcher])
    return () => set(this.watchers.filter((other) => other !== watcher))
  }

  /** When a call begins: 0, unless somebody wants it timed. */
  began(): number {
    return this.hitWatcher !== undefined && this.hitWatcher.due() ? this.clock.now() : 0
  }

  assertOpen(): void {
    if (this.closed) throw new CacheError('ERR_CLOSED', `the cache '${this.settings.name}' is closed`)
  }

  tierName(tier: number): string {
    return (this.store.tiers ?? ['store'])[tier] ?? `tier ${tier}`
  }

  /** Tells of a failure that no caller is told of. */
  report(error: unknown, during: string, key?: string): void {
    this.count.errors++
    this.events.emit('error', { error, during, ...(key !== undefined && { key }) })
  }

  /**
   * Does with a failing store call what `onStoreError` says. A value that cannot be kept always reaches the caller.
   * `key`: what was read or loaded, if it was no change.
   */
  tolerate(error: unknown, during: string, key?: string): void {
    // Whoever gave the value is told, and needs no event.
    if (isRefusal(error)) throw error
    // That the store is left alone was told when that began: a read that is not made is no news. A change is.
    if (!key || codeOf(error) !== 'ERR_CIRCUIT_OPEN') this.report(error, during, key)
    const { onStoreError } = this.settings
    if (onStoreError === 'throw') throw error
    if (typeof onStoreError === 'function') onStoreError(error as Error)
  }

  /** Tells of an event about a key, if anybody listens. */
  tell<E extends EventName>(
    name: E,
    { scope, key }: Pick<Target, 'scope' | 'key'>,
    more: Omit<CacheEvents[E], keyof KeyEvent>,
  ): void {
    if (this.events.has(name)) {
      this.events.emit(name, { key, namespace: scope.namespace, ...more } as unknown as CacheEvents[E])
    }
  }

  /** Keeps the flight under way for the key, if any, from being stored or joined. */
  fence(storeKey: string): void {
    this.looking.delete(storeKey)
    const flight = this.flights.get(storeKey)
    if (flight === undefined) return
    flight.fenced = true
    this.flights.delete(storeKey)
  }

  /** Ends what the nearest tier has of a key that is being changed, whatever becomes of the tiers behind. */
  #begin(storeKey: string): void {
    this.fence(storeKey)
    this.local.alone?.delete(storeKey)
  }

  #overtake(matches: (storeKey: string) => boolean): void {
    for (const one of this.rewriting) one.overtaken ||= matches(one.storeKey)
  }

  fenceWhere(matches: (storeKey: string) => boolean): void {
    for (const underWay of [this.flights, this.looking]) {
      for (const [storeKey] of underWay) if (matches(storeKey)) this.fence(storeKey)
    }
  }

  /** How long a call for so many keys may take. */
  timeoutFor(keys: number): number {
    return timeoutFor(keys, this.settings.timeouts.store)
  }

  /**
   * Tags have changed, perhaps to the version told. A load that depends on one can no longer be stored or joined; it
   * gives its lease back, so that nobody waits for it who would have to load anyway. What it found is no stand-in either.
   */
  fenceOutdated(names: readonly string[], version?: string): void {
    // Nobody marks a version that was learned while its tag changed: those are told by their names.
    const isOld = (tag: TagVersion): boolean =>
      tag.alive === false || (tag.alive === undefined && tag.version !== version && names.includes(tag.name))
    for (const [storeKey, flight] of this.flights) {
      if (flight.stale?.entry.tags?.some(isOld)) flight.stale = undefined
      if (!flight.tags.some(isOld)) continue
      this.fence(storeKey)
      flight.endLease?.()
    }
  }

  /** Whether the key is being changed at this moment, so that a load may not be stored over it. */
  isChanging(storeKey: string): boolean {
    return this.#changing.get(storeKey) !== undefined || this.isCleared(storeKey)
  }

  /** Whether the key is among many that are being changed at this moment. */
  isCleared(storeKey: string): boolean {
    for (const matches of this.#barriers) if (matches(storeKey)) return true
    return false
  }

  /**
   * Changes keys in the store: loads that began before the change is acknowledged are fenced, also those that
   * begin and end while the store takes its time.
   *
   * `unless` is the answer where the store fails and that is tolerated; the keys are owed a removal then.
   */
  change<T>(
    storeKeys: readonly string[],
    during: string,
    call: (store: Store) => Awaitable<T>,
    unless: T,
  ): Awaitable<T> {
    const settled = (): void => {
      for (const storeKey of storeKeys) this.fence(storeKey)
    }
    for (const storeKey of storeKeys) {
      this.failures.delete(storeKey)
      this.#begin(storeKey)
    }
    if (during !== 'expire' && this.rewriting.size > 0)
      this.#overtake((storeKey) => storeKeys.includes(storeKey))
    const { count } = this.debts
    const answer = attempt(
      () => this.debts.cleared(() => this.guard(during, call, this.timeoutFor(storeKeys.length))),
      (value) => {
        this.debts.forget(storeKeys, count)
        settled()
        return value
      },
      (error) => {
        if (!isRefusal(error)) this.debts.owe(storeKeys)
        settled()
        this.tolerate(error, during)
        return unless
      },
    )
    if (!isPromise(answer)) return answer
    for (const storeKey of storeKeys) this.#changing.set(storeKey, (this.#changing.get(storeKey) ?? 0) + 1)
    return Promise.resolve(answer).finally(() => {
      for (const storeKey of storeKeys) {
        const others = this.#changing.get(storeKey)! - 1
        if (others === 0) this.#changing.delete(storeKey)
        else this.#changing.set(storeKey, others)
      }
    })
  }

  /** The same for a change of every key that `matches`. */
  changeWhere(
    matches: (storeKey: string) => boolean,
    during: string,
    call: () => Awaitable<unknown>,
  ): Awaitable<void> {
    this.failures.deleteWhere(matches)
    this.fenceWhere(matches)
    this.#overtake(matches)
    const answer = attempt(call, ignore, (error) => this.tolerate(error, during))
    if (!isPromise(answer)) return
    this.#barriers.add(matches)
    return Promise.resolve(answer).finally(() => {
      this.#barriers.delete(matches)
      this.fenceWhere(matches)
    })
  }

  /** Takes an entry that cannot be used out of the store, without a word if that fails: it is a miss either way. */
  drop(storeKey: string): Awaitable<void> {
    return this.tryTo('delete', (store) => store.delete(storeKey))
  }

  /** Calls the store for what does no harm if it fails. */
  tryTo(during: string, call: (store: Store) => Awaitable<unknown>): Awaitable<void> {
    return attempt(() => this.guard(during, call), ignore, ignore)
  }

  /** Takes a flight that begins into the tables: for others to join, unless it is `alone`. */
  enter(flight: Flight, alone: boolean): void {
    const { storeKey } = flight.request
    if (!alone) {
      // An older load that this one replaces must not be stored over it.
      this.fence(storeKey)
      this.flights.set(storeKey, flight)
    }
    flight.place = this.running.push(flight) - 1
  }

  /** Takes a flight that has ended, or is given up, out of the tables. */
  leave(flight: Flight): void {
    const { storeKey } = flight.request
    flight.endLimit?.()
    flight.endWait?.()
    const last = this.running.pop()!
    if (last !== flight) {
      this.running[flight.place] = last
      last.place = flight.place
    }
    this.loaderEnded(flight)
    if (this.flights.get(storeKey) === flight) this.flights.delete(storeKey)
  }

  /** Counts a loader as no longer at work, once: when it ends or when its load is given up. */
  loaderEnded(flight: Flight): void {
    if (flight.atWork) this.loading--
    flight.atWork = false
  }

  /** Takes note of work nobody waits for and that does not fail. */
  behind(work: Awaitable<void>): void {
    if (!isPromise(work)) return
    const done = Promise.resolve(work).finally(() => this.#work.delete(done))
    this.#work.add(done)
  }

  /** Resolves when no load and no work behind one is left, of what begins meanwhile too. */
  async drain(): Promise<void> {
    while (this.running.length + this.#work.size > 0) {
      await Promise.allSettled([...this.#work, ...this.running.map((flight) => flight.landed)])
    }
  }

  /** Waits for the loads under way until the deadline, in milliseconds, gives up the rest, and closes the store. */
  async close(deadline: number): Promise<void> {
    this.closed = true
    this.local = nothing
    this.debts.close()
    for (const stop of this.#unfollow) stop?.()
    const { promise: late, resolve } = deferred<void>()
    const timer = this.clock.setTimer(resolve, deadline, true)
    await Promise.race([this.drain(), late])
    const error = new CacheError('ERR_CLOSED', `the cache '${this.settings.name}' was closed during the load`)
    for (const flight of this.running.slice()) {
      this.leave(flight)
      // Others need not wait for its term. The store has this sent before it closes.
      flight.endLease?.()
      flight.abort(error, this.clock)
    }
    const closed = attempt(
      () => this.store.close(),
      ignore,
      (cause) => this.report(cause, 'close'),
    )
    await Promise.race([closed, late])
    this.clock.clearTimer(timer)
  }

  #changed(change: Change): void {
    if (change.kind === 'key') {
      this.failures.delete(change.key)
      this.fence(change.key)
    } else if (change.kind === 'tag') {
      this.tags.forget(change.tag, change.version)
      this.fenceOutdated([change.tag], change.version)
    } else this.fenceWhere((storeKey) => storeKey.startsWith(change.prefix))
  }
}
