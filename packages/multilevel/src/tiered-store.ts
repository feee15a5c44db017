import {
  type Acquired,
  type Awaitable,
  type Clock,
  type Entry,
  type Leases,
  type LogListener,
  type Store,
  systemClock,
} from '@flow-cache/core'
import { Between, settled } from './between.js'
import { atTier } from './entries.js'
import { Near } from './near.js'
import type { TieredStoreOptions } from './options.js'
import { type Plan, planOf } from './plan.js'
import { Reads } from './reads.js'

/**
 * A store made of stores, the nearest first: those in this process, then those that others share, the last of which
 * is the one that decides. A read asks one after the other and fills the nearer ones with what it finds, for the
 * time that is left; a write is done when no tier has the old value any more.
 *
 * The near tiers are kept right by the log of the shared ones: what another process changes is dropped here, a read
 * that was under way does not put it back, and where changes may have been missed everything goes.
 *
 * It has the groups that its last tier has. A tier that fails is a tier that has nothing; if the last one fails, the
 * call does, and what was loaded meanwhile is kept near.
 */
export function tieredStore(options: TieredStoreOptions): Store {
  return new TieredStore(planOf(options), options.clock ?? systemClock)
}

class TieredStore implements Store {
  readonly tiers: readonly string[]
  readonly batch: NonNullable<Store['batch']>
  declare readonly maxEntries?: number
  declare readonly local?: NonNullable<Store['local']>
  declare readonly keys?: NonNullable<Store['keys']>
  declare readonly tags?: NonNullable<Store['tags']>
  declare readonly leases?: Leases
  declare readonly log?: NonNullable<Store['log']>
  declare readonly evictions?: NonNullable<Store['evictions']>

  readonly #plan: Plan
  readonly #near: Near
  /** The last tier, which decides. */
  readonly #base: Store
  /** Shared tiers in front of it. */
  readonly #between: Between
  readonly #reads = new Reads()
  readonly #listeners = new Set<LogListener>()
  readonly #unfollow: readonly ((() => void) | undefined)[]

  constructor(plan: Plan, clock: Clock) {
    const { near, shared } = plan
    const base = shared.at(-1)!
    this.#plan = plan
    this.#near = new Near(near, clock)
    this.#base = base
    this.#between = new Between(shared.slice(0, -1), near.length, clock)
    this.tiers = [...near.map(({ store }) => store), ...shared].flatMap((store) => store.tiers ?? ['store'])
    this.#unfollow = shared.map((store) => store.log?.follow(this.#follower(store === base)))
    this.batch = {
      getMany: (keys) => this.#getMany(keys),
      setMany: (entries) => this.#setMany(entries),
      deleteMany: (keys) => this.#deleteMany(keys),
    }
    const first = near[0]?.store
    if (first?.maxEntries !== undefined) this.maxEntries = first.maxEntries
    if (first?.local !== undefined) {
      const { get, peek } = first.local
      this.local = {
        get,
        peek,
        alone: {
          set: (key, entry) => this.#near.set(key, entry),
          delete: (key) => this.#drop(key),
          clear: () => this.#dropAll(),
        },
      }
    }
    if (first?.evictions !== undefined) this.evictions = first.evictions
    if (base.keys !== undefined) this.keys = base.keys
    if (base.tags !== undefined) this.tags = base.tags
    if (base.leases !== undefined) this.leases = this.#leasesOf(base.leases)
    if (base.log !== undefined) {
      this.log = {
        follow: (listener) => {
          this.#listeners.add(listener)
          return () => this.#listeners.delete(listener)
        },
      }
    }
  }

  patience(ms: number): void {
    for (const store of this.#plan.shared) store.patience?.(ms)
  }

  get(key: string): Awaitable<Entry | undefined> {
    return this.#near.get(key) ?? this.#ask(key)
  }

  async set(key: string, entry: Entry): Promise<void> {
    await this.#write(key, entry, () => this.#base.set(key, entry))
  }

  async delete(key: string): Promise<boolean> {
    return this.#write(key, undefined, () => this.#base.delete(key))
  }

  async clear(prefix = ''): Promise<void> {
    this.#dropAll(prefix)
    await this.#between.clear(prefix)
    await this.#base.clear(prefix)
    await this.#between.clear(prefix)
    this.#dropAll(prefix)
  }

  async close(): Promise<void> {
    this.#near.closed = true
    for (const stop of this.#unfollow) stop?.()
    const stores = [...this.#plan.near.map(({ store }) => store), ...this.#plan.shared]
    const closed = await Promise.allSettled(stores.map((store) => store.close()))
    for (const one of closed) if (one.status === 'rejected') throw one.reason
  }

  /** Asks the shared tiers, and keeps what they have near. */
  #ask(key: string): Promise<Entry | undefined> {
    return this.#reads.during(
      key,
      () => (this.#between.isEmpty ? this.#base.get(key) : this.#askAll(key)),
      (found, newest) => {
        if (found === undefined) {
          // What the deciding tier does not have, no other has.
          if (newest) this.#near.delete(key)
          return undefined
        }
        if (newest) this.#near.set(key, found)
        return this.#fromShared(found)
      },
    )
  }

  /** The entry with the tier that had it: one of those between has said so, otherwise it was the last. */
  #fromShared(entry: Entry): Entry {
    return atTier(entry, entry.tier >= this.#plan.near.length ? entry.tier : this.tiers.length - 1)
  }

  async #askAll(key: string): Promise<Entry | undefined> {
    const { entry, fill } = await this.#between.ask(key)
    const found = entry ?? (await settled(this.#base.get(key), fill))
    await fill(found)
    return found
  }

  async #getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    const found = keys.map((key) => this.#near.get(key))
    const missing = keys.filter((_, i) => found[i] === undefined)
    if (missing.length === 0) return found
    if (this.#base.batch === undefined || !this.#between.isEmpty) {
      return Promise.all(keys.map((key, i) => found[i] ?? this.#ask(key)))
    }
    const tickets = missing.map((key) => this.#reads.begin(key))
    try {
      const answers = await this.#base.batch.getMany(missing)
      const asked = new Map<string, Entry>()
      answers.forEach((entry, i) => {
        const key = missing[i]!
        if (entry === undefined) return
        if (!tickets[i]!.overtaken) this.#near.set(key, entry)
        asked.set(key, atTier(entry, this.tiers.length - 1))
      })
      return keys.map((key, i) => found[i] ?? asked.get(key))
    } finally {
      missing.forEach((key, i) => this.#reads.end(key, tickets[i]!))
    }
  }

  async #setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    const { batch } = this.#base
    if (batch === undefined || !this.#between.isEmpty) {
      await Promise.all(entries.map(([key, entry]) => this.set(key, entry)))
      return
    }
    for (const [key] of entries) this.#drop(key)
    const tickets = entries.map(([key]) => this.#reads.begin(key))
    try {
      await batch.setMany(entries)
      const newest = tickets.map((ticket) => !ticket.overtaken)
      for (const [i, [key, entry]] of entries.entries()) {
        this.#drop(key)
        if (newest[i]!) this.#near.set(key, entry)
      }
    } finally {
      entries.forEach(([key], i) => this.#reads.end(key, tickets[i]!))
    }
  }

  async #deleteMany(keys: readonly string[]): Promise<number> {
    if (this.#base.batch === undefined || !this.#between.isEmpty) {
      const found = await Promise.all(keys.map((key) => this.delete(key)))
      return found.filter(Boolean).length
    }
    for (const key of keys) this.#drop(key)
    const count = await this.#base.batch.deleteMany(keys)
    for (const key of keys) this.#drop(key)
    return count
  }

  /**
   * Changes a key in every tier: it is gone from the nearer ones before and after the deciding one changes, so that
   * nobody puts the old value back between, and the new one is kept near if it is still the newest.
   */
  #write<T>(key: string, entry: Entry | undefined, write: () => Awaitable<T>): Promise<T> {
    this.#drop(key)
    return this.#reads.during(
      key,
      () => (this.#between.isEmpty ? write() : this.#writeAll(key, write)),
      (answer, newest) => {
        this.#drop(key)
        if (entry !== undefined && newest) this.#near.set(key, entry)
        return answer
      },
    )
  }

  async #writeAll<T>(key: string, write: () => Awaitable<T>): Promise<T> {
    // The write begins at once: one that waited for a slow tier would still be in time when the caller has given up.
    const writing = (async () => write())()
    const [written, deleted] = await Promise.allSettled([writing, this.#between.delete(key)])
    if (deleted.status === 'rejected') throw deleted.reason
    if (written.status === 'rejected') throw written.reason
    await this.#between.delete(key)
    return written.value
  }

  #leasesOf(leases: Leases): Leases {
    return {
      acquire: (key, token, termMs, always) =>
        this.#reads.during(
          key,
          () => this.#acquire(leases, key, token, termMs, always),
          (got, newest) => {
            if (got.entry === undefined) return got
            if (got.status === 'fresh' && newest) this.#near.set(key, got.entry)
            return { ...got, entry: this.#fromShared(got.entry) }
          },
        ),
      commit: (key, token, entry) =>
        this.#reads.during(
          key,
          () => leases.commit(key, token, entry),
          (held, newest) => {
            if (held && newest) this.#near.set(key, entry)
            return held
          },
        ),
      renew: (key, token, termMs) => leases.renew(key, token, termMs),
      release: (key, token) => leases.release(key, token),
      expire: (key) => this.#write(key, undefined, () => leases.expire(key)),
    }
  }

  #acquire(
    leases: Leases,
    key: string,
    token: string,
    termMs: number,
    always: boolean | undefined,
  ): Awaitable<Acquired> {
    const lend = (): Awaitable<Acquired> => leases.acquire(key, token, termMs, always)
    return this.#between.isEmpty || always === true ? lend() : this.#acquireAll(key, lend)
  }

  async #acquireAll(key: string, lend: () => Awaitable<Acquired>): Promise<Acquired> {
    const { entry, fill } = await this.#between.ask(key)
    if (entry !== undefined) return { status: 'fresh', entry }
    const got = await settled(lend(), fill)
    await fill(got.status === 'fresh' ? got.entry : undefined)
    return got
  }

  /** The key has changed, or is about to. */
  #drop(key: string): void {
    this.#reads.overtake(key)
    this.#near.delete(key)
  }

  #dropAll(prefix = ''): void {
    this.#reads.overtakeWhere((key) => key.startsWith(prefix))
    this.#near.clear(prefix)
  }

  /** Keeps the near tiers right, and tells the cache what the deciding tier tells. */
  #follower(decides: boolean): LogListener {
    const told = decides ? this.#listeners : []
    return {
      changed: (change) => {
        if (change.kind === 'key') this.#drop(change.key)
        else if (change.kind === 'clear') this.#dropAll(change.prefix)
        for (const listener of told) listener.changed(change)
      },
      lost: () => {
        this.#dropAll()
        for (const listener of told) listener.lost()
      },
      blind: (isBlind) => {
        this.#near.closed = isBlind
        if (isBlind) this.#dropAll()
        for (const listener of told) listener.blind?.(isBlind)
      },
      failed: (error) => {
        for (const listener of told) listener.failed?.(error)
      },
    }
  }
}
