import type { Entry } from './entry.js'

/** A value, or a promise of it. A store in this process answers at once, so that a hit costs no turn. */
export type Awaitable<T> = T | PromiseLike<T>

/**
 * Keeps entries under string keys. The one interface a new backend implements: five required members,
 * and groups of methods that are there or not. A group that is absent is a capability the store lacks;
 * there are no flags, and shared code never asks a store for its name.
 *
 * Promises of every member:
 * - Keys are non-empty strings of any characters, at any length the backend can hold, and never interfere:
 *   `__proto__`, `a:b`, `*` and `a\0` are keys like others.
 * - Calls for one key take effect in the order they were made. `clear` is a call for every key that was set before it;
 *   what is set while it is under way may go with it.
 * - A call that has failed or timed out does not take effect later.
 * - A failure is a rejection or a throw, never a made-up answer. The cache puts a timeout and a circuit
 *   around every call, so a store needs none; see `patience`.
 */
export interface Store {
  /**
   * The entry, or `undefined` once `expiresAt` has passed or if there is none. An entry past `staleAt` is
   * still answered. The value equals the one that was set, also when that is `undefined`, `null` or `NaN`.
   * Bytes that cannot be understood are a `CacheError` with the code `ERR_POISONED`, never another error.
   */
  get(key: string): Awaitable<Entry | undefined>
  /**
   * Replaces the whole entry. One that has already expired is accepted, not kept, and ends the one before.
   * A store with `leases` revokes the key's lease.
   */
  set(key: string, entry: Entry): Awaitable<void>
  /** Removes the entry; tells whether there was one to read. A store with `leases` revokes the key's lease. */
  delete(key: string): Awaitable<boolean>
  /**
   * Removes every entry whose key begins with `prefix`, taken literally, or all of this store's when it is
   * left out, and revokes their leases. Nothing of anybody else's, also on a shared server.
   */
  clear(prefix?: string): Awaitable<void>
  /**
   * Frees sockets and timers. Waits for what was begun, not for a server that is gone. Safe to call twice. A `set`
   * afterwards is a `CacheError` with the code `ERR_CLOSED`, or is not kept.
   */
  close(): Awaitable<void>

  /**
   * Told by the cache, before its first call, after how many milliseconds it gives up one for a single key. Present only
   * if a write could be done later than that, which it then must not. Throws a `RangeError` where that cannot be.
   */
  patience?(ms: number): void

  /** What its tiers are called, the nearest first. Shown to people. Default: one tier, `'store'`. */
  readonly tiers?: readonly string[]
  /** How many entries it, or its first tier, holds at most, where it counts them. */
  readonly maxEntries?: number
  /** Present only if the store, or its first tier, lives in this process. */
  readonly local?: Local
  /** Present only if many keys cost less together. */
  readonly batch?: Batch
  /** Present only if the store can list its keys. */
  readonly keys?: Keys
  /** Present only if other processes share the store: tags that all of them agree on. */
  readonly tags?: Tags
  /** Present only if the store can lend a key to one process at a time. */
  readonly leases?: Leases
  /** Present only if the store tells what other processes changed. */
  readonly log?: Log
  /** Present only if the store drops entries by itself, for want of room. */
  readonly evictions?: Evictions
}

/** What the first tier holds, at once. */
export interface Local {
  /**
   * Like {@link Store.get}, of the first tier alone, and for one who compares the instants: it may answer with an
   * entry that has expired. The hot path of every hit.
   */
  get(key: string): Entry | undefined
  /** The same without counting as a use. */
  peek(key: string): Entry | undefined
  /** Present only if there are tiers behind it, which can fail when it does not. */
  readonly alone?: Alone
}

/** Changes of the first tier by itself, at once. Nobody else is told. */
export interface Alone {
  /** Keeps what was loaded while the tiers behind could not be asked. */
  set(key: string, entry: Entry): void
  /** Ends what was there, whatever becomes of the tiers behind; also what a read under way would bring. */
  delete(key: string): void
  /** The same for every key. */
  clear(): void
}

/** Many keys at once. Each key fares as it would alone; a failure is a failure of the whole call. */
export interface Batch {
  /** One answer a key, in the keys' order. */
  getMany(keys: readonly string[]): Awaitable<readonly (Entry | undefined)[]>
  setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Awaitable<void>
  /** How many of them were there. */
  deleteMany(keys: readonly string[]): Awaitable<number>
}

/** The store's keys, listed. */
export interface Keys {
  /**
   * The keys that begin with `prefix`, taken literally, and whose rest matches `glob` (see `matchGlob`; all
   * when left out), in batches. A key that is there from the first to the last batch is listed; one that
   * comes or goes meanwhile may be. Entries with outdated tags are listed too. Does not hold up the event loop.
   */
  scan(prefix: string, glob?: string): AsyncIterable<readonly string[]>
}

/**
 * The versions of tags, agreed on by every process that shares the store. Versions are random or counted,
 * never a clock's time: clocks of different machines order nothing. (Symfony's TagAwareAdapter is the model.)
 */
export interface Tags {
  /** Where the store's invalidations stand now, to be handed to `versions` later. */
  position(): Awaitable<string>
  /**
   * The tags' versions, in order. A tag that is not known, or was lost to eviction or a restart, gets a new
   * version, so entries that were made under an older one do not count.
   *
   * With `since`, a position from before a load: `undefined` for a tag that may have been invalidated after it.
   */
  versions(names: readonly string[], since?: string): Awaitable<readonly (string | undefined)[]>
  /** Gives each tag a new version, and tells the log. Constant time, however many entries have the tag. */
  invalidate(names: readonly string[]): Awaitable<void>
}

/** What {@link Leases.acquire} answers. */
export type Acquired =
  /** There is a fresh entry. */
  | { readonly status: 'fresh'; readonly entry: Entry }
  /** The lease is the caller's. `entry` is the stale one that is still there, if any. */
  | { readonly status: 'leased'; readonly entry: Entry | undefined }
  /** Another process has it, for `remainingMs` more at most, unless it renews. */
  | { readonly status: 'taken'; readonly entry: Entry | undefined; readonly remainingMs: number }

/**
 * Time-limited rights to load a key. The token is the fence: whatever replaces, deletes or clears the key
 * revokes it, and so do its end, a lost server and another holder; a commit under a revoked token fails.
 * (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
 */
export interface Leases {
  /**
   * The fresh entry if there is one, otherwise the lease for `termMs` if nobody else has it, in one step.
   * With `always`, a fresh entry does not stand in the way (it is handed back with the lease).
   */
  acquire(key: string, token: string, termMs: number, always?: boolean): Awaitable<Acquired>
  /** Stores the entry and ends the lease if the token holds it still, in one step; `false` if not. */
  commit(key: string, token: string, entry: Entry): Awaitable<boolean>
  /** Extends the lease to `termMs` from now; `false` if the token does not hold it. */
  renew(key: string, token: string, termMs: number): Awaitable<boolean>
  /** Ends the lease if the token holds it, and leaves the entry. */
  release(key: string, token: string): Awaitable<void>
  /**
   * Makes the entry stale from now on, keeps it for the grace it was given, revokes the lease, tells the
   * log, in one step. Tells whether there was an entry.
   */
  expire(key: string): Awaitable<boolean>
}

/** One explicit change that another process made. Fills after a load are none. */
export type Change =
  | { readonly kind: 'key'; readonly key: string }
  /** `version`: the one it has since, where that is known. */
  | { readonly kind: 'tag'; readonly tag: string; readonly version?: string | undefined }
  /** Every key that begins with `prefix`; all for the empty one. */
  | { readonly kind: 'clear'; readonly prefix: string }

/** Who is told of changes. */
export interface LogListener {
  /** Another process changed this. Told in the order the store saw them, none left out. */
  changed(change: Change): void
  /** Changes may have been missed: what was learned from this store so far is not to be trusted. */
  lost(): void
  /**
   * `true`: there has been no news for so long that nothing learned from this store is to be used for now, although
   * none of it may be lost. `false`: all that was missed has been told. Only where the store was asked to say so, or
   * where the log is refused.
   */
  blind?(isBlind: boolean): void
  /** The log cannot be read, though the store answers: somebody has to know. Told once, until it can be again. */
  failed?(error: unknown): void
}

/** The changes other processes make, complete also across a lost connection: what cannot be caught up is said to be lost. */
export interface Log {
  /** Starts telling; the answer stops it. This process's own changes are not told. */
  follow(listener: LogListener): () => void
}

/** Entries a store dropped for want of room. */
export interface Evictions {
  /** Starts telling; the answer stops it. Not told of deleted, replaced or expired entries. */
  follow(listener: (key: string) => void): () => void
}
