/// <reference lib="esnext.disposable" preserve="true" />
import { promised } from './awaitable.js'
import { checkFunction, checkText, wrong } from './checks.js'
import { give } from './copy.js'
import { clear, clearPattern, invalidateTags } from './clearing.js'
import { type Duration, toMs } from './duration.js'
import { Engine } from './engine.js'
import { type Entry, freshness } from './entry.js'
import type { EventName, Listener } from './events.js'
import { type EntryView, type Explanation, explain, viewOf } from './explaining.js'
import { keyOf } from './key-of.js'
import { list } from './listing.js'
import type { Loader, LoadMany } from './loader.js'
import { hit, load, missed, tellHit } from './loading.js'
import { each, findMany, loadAll } from './loading-many.js'
import type { CacheOptions, GetOrSetOptions, LoadingOptions, SetOptions } from './options.js'
import { build, plan, type Plan } from './plan.js'
import type { Found } from './found.js'
import { find } from './reading.js'
import { Scope, type Target } from './scope.js'
import { type CacheStats, statsOf } from './stats.js'
import { allAlive } from './tag-table.js'
import type { Watcher } from './watcher.js'
import type { Wrappable, WrapOptions, Wrapped } from './wrapping.js'
import { expire, remove, set, setMany } from './writing.js'

/** Below this, in milliseconds, a fresh hit asks the exact clock instead of the coarse one. */
const nearEnd = 1_000

/**
 * A cache over one store: single flight, stale values for bad times, tags, namespaces.
 *
 * What holds for every method that answers with a promise: it never throws, it rejects. A wrong key or option is
 * a `TypeError` or a `RangeError` that names it. After `close()` it is a `CacheError` with the code `ERR_CLOSED`.
 * A failing store is a miss, or a write that is not kept, and an `error` event; see `onStoreError`.
 */
export class Cache {
  readonly #engine: Engine
  readonly #scope: Scope
  /** A fresh entry is the answer as it is: nothing in the defaults wants a second look. */
  readonly #plain: boolean
  readonly #prefix: string

  constructor(options: CacheOptions)
  /** @internal A namespace of another cache. */
  constructor(engine: Engine, scope: Scope)
  constructor(from: CacheOptions | Engine, scope?: Scope) {
    if (from instanceof Engine) {
      this.#engine = from
      this.#scope = scope!
    } else {
      const settings = build(from)
      this.#scope = new Scope('', from.store.tags === undefined ? [] : [''], settings)
      this.#engine = new Engine(settings)
    }
    this.#prefix = this.#scope.prefix
    this.#plain = isPlain(this.#scope.plan)
  }

  /** What stands in front of its keys in the store; `''` for the root. */
  get name(): string {
    return this.#scope.namespace
  }

  /** The names of the store's tiers, nearest first. */
  get tiers(): readonly string[] {
    return this.#engine.store.tiers ?? ['store']
  }

  /** How many entries the store, or its first tier, holds at most, if it has said so. */
  get maxEntries(): number | undefined {
    return this.#engine.store.maxEntries
  }

  /** Whether the cache was closed. A namespace is with its root. */
  get closed(): boolean {
    return this.#engine.closed
  }

  /**
   * The value, from the store or from the loader. The loader runs only if nobody has the value or is getting it;
   * callers who come meanwhile share its answer, or its error. A value whose load began before a `set`, `delete`,
   * `expire`, `clear` or `invalidateTags` that touches it is not kept, and not given to anyone who asks later.
   *
   * Where the load fails or takes too long and there is a stale value, that is the answer; see `grace` and
   * `timeouts`. Otherwise the loader's own error is thrown, to everyone who waits.
   */
  getOrSet<V>(key: string, loader: Loader<V>, options?: GetOrSetOptions): Promise<V> {
    const began = this.#engine.began()
    if (this.#plain && (options === undefined || isPlain(options))) {
      const entry = this.#near(key)
      if (entry !== undefined) return Promise.resolve(this.#answer(key, entry, began) as V)
    }
    return this.#load(key, loader, options, began)
  }

  /**
   * The values of several keys, in a `Map` in their order. `loadMany` is asked once for all that nobody has or is
   * getting; a key it leaves out of a `Map` does not exist, and is left out of the answer.
   */
  async getOrSetMany<V>(
    keys: Iterable<string>,
    loadMany: LoadMany<V>,
    options?: GetOrSetOptions,
  ): Promise<Map<string, V>> {
    checkFunction(loadMany, 'loadMany')
    const calls = this.#plan(options)
    const isNear = this.#plain && (options === undefined || isPlain(options))
    return this.#many(keys, isNear, calls, (wanted) => loadAll(this.#engine, wanted, loadMany, calls))
  }

  /** The fresh value, or `undefined`. A cached `undefined` looks the same; `has` and `getEntry` tell them apart. */
  get<V = unknown>(key: string): Promise<V | undefined> {
    const began = this.#engine.began()
    const entry = this.#plain ? this.#near(key) : undefined
    return entry === undefined ? this.#get(key, began) : Promise.resolve(this.#answer(key, entry, began) as V)
  }

  /** The entry, fresh or stale, with what is known of it, or `undefined`. Counted as a read: a hit if it is fresh. */
  async getEntry<V = unknown>(key: string): Promise<EntryView<V> | undefined> {
    const began = this.#engine.began()
    const found = await this.#find(key)
    this.#isHit(key, found, began)
    return found && (viewOf(this.#engine, this.#scope, found) as EntryView<V>)
  }

  /** The fresh values of several keys, in a `Map` in their order that holds only what was there. */
  async getMany<V = unknown>(keys: Iterable<string>): Promise<Map<string, V>> {
    return this.#many(keys, this.#plain, this.#scope.plan, async (wanted) => {
      const values = new Map<string, V>()
      ;(await findMany(this.#engine, wanted)).forEach((found, i) => {
        const { key, plan: calls } = wanted[i]!
        if (this.#isHit(key, found)) values.set(key, give(found.value, calls) as V)
      })
      return values
    })
  }

  /** Whether there is a fresh value, `undefined` and `null` included. Counted as a read. */
  async has(key: string): Promise<boolean> {
    const began = this.#engine.began()
    return this.#isHit(key, await this.#find(key), began)
  }

  /**
   * The fresh value in the nearest tier, at once, or `undefined`. Not a use and not a read: order and counters
   * stay. Always `undefined` where that tier is not in this process.
   */
  peek<V = unknown>(key: string): V | undefined {
    const entry = this.#engine.local.peek(this.#scope.keyIn(key))
    if (entry === undefined || freshness(entry, this.#engine.clock.now()) !== 'fresh') return undefined
    if (entry.tags !== undefined && !allAlive(entry.tags)) return undefined
    return give(entry.value, this.#scope.plan) as V
  }

  /**
   * Replaces the entry. Wins over every load that began before it resolves. A `ttl` of `0` keeps nothing, and what
   * was there goes.
   */
  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    return set(this.#engine, this.#target(key, this.#plan(options)), value)
  }

  /**
   * Replaces several entries, given as a `Map`, an object or pairs. If one of them cannot be kept, none is written; of
   * more than 250, none of those that go to the store together with it.
   */
  setMany(entries: Iterable<readonly [key: string, value: unknown]>, options?: SetOptions): Promise<void>
  setMany(entries: Readonly<Record<string, unknown>>, options?: SetOptions): Promise<void>
  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]> | Readonly<Record<string, unknown>>,
    options?: SetOptions,
  ): Promise<void> {
    if (typeof entries !== 'object' || entries === null) {
      wrong('entries', 'a Map, an object or pairs', entries)
    }
    const pairs = Symbol.iterator in entries ? [...entries] : Object.entries(entries)
    const calls = this.#plan(options)
    return setMany(
      this.#engine,
      pairs.map((pair) => {
        if (!Array.isArray(pair)) wrong('each of entries', 'a pair [key, value]', pair)
        return [this.#target(pair[0], calls), pair[1]]
      }),
    )
  }

  /** Removes the entry; tells whether there was one, fresh or stale. No older load is stored afterwards. */
  async delete(key: string): Promise<boolean> {
    return (await remove(this.#engine, [this.#target(key)])) > 0
  }

  /** Removes several entries; tells how many there were. */
  async deleteMany(keys: Iterable<string>): Promise<number> {
    return remove(this.#engine, this.#targets(keys))
  }

  /** Makes the entry stale from now on: it is loaded anew, and stands in for its `grace` if that fails. */
  async expire(key: string): Promise<boolean> {
    return expire(this.#engine, this.#target(key))
  }

  /** Ends every entry of this namespace that has any of the tags. Costs one write a tag, however many entries. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    return invalidateTags(this.#engine, this.#scope, tags)
  }

  /** Ends every entry of this cache and of the namespaces within, and nobody else's. */
  async clear(): Promise<void> {
    return clear(this.#engine, this.#scope)
  }

  /**
   * Removes the keys of this namespace that match (`*`, `?`, `[abc]`, `\` before one taken literally) and tells how
   * many; in other processes, a load that begins during the call may still
   * be kept; where the store fails half-way, what it did not reach stays. Looks at every key; tags are the cheap way. A store that cannot list its keys is `ERR_UNSUPPORTED`.
   */
  async clearPattern(glob: string): Promise<number> {
    return clearPattern(this.#engine, this.#scope, glob)
  }

  /**
   * The keys of this namespace that match (all by default; see `clearPattern`) and have a fresh entry, one by one. A
   * key that comes or goes meanwhile may be among them, and one may come twice. Reads every entry it lists: it is for
   * tools. A store that cannot list its keys is `ERR_UNSUPPORTED`, one that fails at it `ERR_STORE`.
   */
  keys(glob = '*'): AsyncGenerator<string, void> {
    return list(this.#engine, this.#scope, glob)
  }

  /**
   * A part of this cache with keys, tags and defaults of its own, over the same store. Cheap enough to call for
   * each request. Its `defaults` stand over this cache's.
   */
  namespace(name: string, defaults?: LoadingOptions): Cache {
    return new Cache(this.#engine, this.#scope.child(name, this.#plan(defaults)))
  }

  /**
   * A function like `fn` that remembers its answers. The key is `name` and the canonical form of all arguments
   * (see `keyOf`), or of what `options.key` makes of them; arguments that have none are a `CacheKeyError`.
   */
  wrap<Args extends readonly unknown[], V>(
    name: string,
    fn: Wrappable<Args, V>,
    options: WrapOptions<Args> = {},
  ): Wrapped<Args, V> {
    checkText(name, "wrap's name")
    checkFunction(fn, 'fn')
    if (typeof options !== 'object' || options === null) wrong('options', 'an object', options)
    const { key: choose, ...rest } = options
    if (choose !== undefined) checkFunction(choose, 'key')
    const calls = this.#plan(rest)
    const read = (key: string, loader: Loader<V>): Promise<V> =>
      load(this.#engine, { ...this.#target(key, calls), loader }) as Promise<V>
    const keyFor = (...args: Args): string =>
      `${name}:${keyOf(choose === undefined ? args : choose(...args))}`
    const wrapped = async function (this: unknown, ...args: Args): Promise<V> {
      return read(keyFor(...args), () => Reflect.apply(fn, this, args))
    }
    return Object.assign(wrapped, { keyFor })
  }

  /** Tells the listener of every event of that name, of this cache and all its namespaces; the answer stops it. */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    checkFunction(listener, 'listener')
    return this.#engine.listen(event, listener)
  }

  /** Shows the watcher every fresh answer, of this cache and all its namespaces; the answer stops it. */
  watch(watcher: Watcher): () => void {
    return this.#engine.watch(watcher)
  }

  /** What was counted so far, all namespaces together. */
  stats(): CacheStats {
    return statsOf(this.#engine.count, this.#engine.loading)
  }

  /** Everything that is known of a key: who would answer, how old it is, until when, what would end it, who loads it. */
  async explain(key: string): Promise<Explanation> {
    return explain(this.#engine, this.#target(key))
  }

  /** Resolves when every load and every write behind is done, also of what begins meanwhile. */
  async drain(): Promise<void> {
    return this.#engine.drain()
  }

  /**
   * Ends the cache: nothing new is taken, loads under way are waited for until `deadline` (default 1.5 seconds) and
   * then given up, the store is closed, no timer is left. Safe to call twice. On a namespace, waits for the work
   * under way and leaves the cache open.
   */
  async close(options: { readonly deadline?: Duration | undefined } = {}): Promise<void> {
    const deadline = toMs(options.deadline ?? 1_500, 'deadline')
    return this.#scope.namespace === '' ? this.#engine.close(deadline) : this.#engine.drain()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #plan(options: LoadingOptions | undefined): Plan {
    return options === undefined ? this.#scope.plan : plan(this.#scope.plan, options)
  }

  #target(key: string, calls = this.#scope.plan): Target {
    this.#engine.assertOpen()
    return this.#scope.target(key, calls)
  }

  #targets(keys: Iterable<string>, calls = this.#scope.plan): readonly Target[] {
    this.#engine.assertOpen()
    return each(keys).map((key) => this.#scope.target(key, calls))
  }

  /** The hot path: the fresh entry of the nearest tier, for a call that can hand it out as it is. */
  #near(key: string): Entry | undefined {
    const { local, coarse, clock } = this.#engine
    // A root key that begins with `@` (64) is escaped in the store.
    if (typeof key !== 'string' || (this.#prefix === '' && key.charCodeAt(0) === 64)) return undefined
    const entry = local.get(this.#prefix === '' ? key : this.#prefix + key)
    if (entry === undefined) return undefined
    const { staleAt, tags } = entry
    const isFresh = staleAt - coarse() > nearEnd || staleAt > clock.now()
    return isFresh && (tags === undefined || allAlive(tags)) ? entry : undefined
  }

  /** Counts and tells a hit of the hot path, and answers with its value. */
  #answer(key: string, entry: Entry, began: number): unknown {
    const engine = this.#engine
    engine.count.hits++
    if (engine.hitWatcher !== undefined) engine.hitWatcher.hit(key, this.#scope.namespace, entry, began)
    if (engine.tellsHits) tellHit(engine, { scope: this.#scope, key }, entry)
    return entry.value
  }

  /** The values of several keys, in their order: those that are near, and what `ask` has of the rest. */
  async #many<V>(
    keys: Iterable<string>,
    isNear: boolean,
    calls: Plan,
    ask: (wanted: readonly Target[]) => Promise<Map<string, V>>,
  ): Promise<Map<string, V>> {
    this.#engine.assertOpen()
    const wanted = each(keys)
    const near = new Map<string, Entry>()
    const rest: Target[] = []
    for (const key of wanted) {
      const entry = isNear ? this.#near(key) : undefined
      if (entry === undefined) rest.push(this.#scope.target(key, calls))
      else near.set(key, entry)
    }
    if (near.size === 0) return ask(rest)
    const values = new Map<string, V>()
    near.forEach((entry, key) => values.set(key, this.#answer(key, entry, 0) as V))
    if (rest.length === 0) return values
    const asked = await ask(rest)
    const all = new Map<string, V>()
    for (const key of wanted) {
      const from = values.has(key) ? values : asked
      if (from.has(key)) all.set(key, from.get(key) as V)
    }
    return all
  }

  async #get<V>(key: string, began: number): Promise<V | undefined> {
    const found = await this.#find(key)
    return this.#isHit(key, found, began) ? (give(found.value, this.#scope.plan) as V) : undefined
  }

  #load<V>(key: string, loader: Loader<V>, options: GetOrSetOptions | undefined, began: number): Promise<V> {
    return promised(() => {
      checkFunction(loader, 'loader')
      this.#engine.assertOpen()
      const request = this.#scope.target(key, this.#plan(options))
      return load(this.#engine, Object.assign(request, { loader, began })) as Promise<V>
    })
  }

  async #find(key: string): Promise<Found | undefined> {
    return find(this.#engine, this.#target(key))
  }

  /** Counts a read without a loader. Only what is fresh is an answer. */
  #isHit(key: string, found: Found | undefined, began = 0): found is Found {
    const fresh = found?.state === 'fresh'
    const target = { scope: this.#scope, key, began }
    if (fresh) hit(this.#engine, target, found.entry)
    else missed(this.#engine, target)
    return fresh
  }
}

/** A cache over the store. `await using` closes it. */
export function createCache(options: CacheOptions): Cache {
  return new Cache(options)
}

/** Whether a fresh entry can be handed out as it is: only these options change what a fresh hit does. */
function isPlain(o: GetOrSetOptions): boolean {
  return (
    typeof o === 'object' &&
    o !== null &&
    o.signal === undefined &&
    o.forceRefresh === undefined &&
    o.skip === undefined &&
    o.refreshAhead === undefined &&
    o.beta === undefined &&
    o.schema === undefined &&
    o.version === undefined &&
    (o.copy === undefined || o.copy === 'share')
  )
}
