/*
 * Longer than most, because its promise is one: what declares, what loads and what invalidates keep an order among each
 * other, so that nothing falls between them. How that order came to be is in `docs/decisions/0009-strategies.md`.
 */
import {
  type Cache,
  type Duration,
  type EntryView,
  type Explanation,
  type GetOrSetOptions,
  type LoadContext,
  type Loader,
  type SetOptions,
  toMs,
} from '@flow-cache/core'
import { checkAtOnce, checkCache, checkCount, checkKey } from './checks.js'
import { type DependencyIndex, dependencyIndex } from './dependency-index.js'
import { graphTag, namesIn, tagsOf, valueTag } from './dependency-tags.js'
import { smartCacheDefaults } from './options.js'

/** An entry and what it depends on. */
export interface SmartEntry<V = unknown> extends EntryView<V> {
  readonly key: string
  /** Everything it depends on, however far: what was given, and what that depends on. */
  readonly dependsOn: readonly string[]
}

/** What {@link SmartCache} takes. */
export interface SmartCacheOptions {
  readonly cache: Cache
  /**
   * Looks at an entry that is about to be the answer. If it says `true`, the entry is expired and the read goes on as if
   * it were stale: it is loaded anew, or is a miss. What it throws, the read rejects with. Default: no entry is looked at, and hits cost less.
   */
  readonly isStale?: ((entry: SmartEntry) => boolean) | undefined
  /** How many names an entry may depend on, all in all. One with more is answered and not kept. Default: 1,000. */
  readonly maxAncestors?: number | undefined
  /**
   * How many dependents of a name are listed, about. Of more, the ones listed longest ago are missing in what
   * `invalidate` answers; they end all the same. Default: 10,000.
   */
  readonly maxDependents?: number | undefined
  /**
   * How long it is remembered what a key depends on, and who depends on it, past their entries and since it last changed.
   * What is forgotten costs loads and makes answers shorter. Default: `'1d'`.
   */
  readonly remember?: Duration | undefined
}

/** What a value depends on. */
export interface DependsOn {
  /** Keys of this cache, or any other names. What those depend on counts as well. */
  readonly dependsOn?: readonly string[] | undefined
}

/** What a loader is told: beside the usual, how to say what the value depends on once that is known. */
export interface SmartLoadContext extends LoadContext {
  /** Adds to what the value depends on. A value is not kept if any of it was invalidated since the load began. */
  dependsOn(...names: string[]): void
}

/** Asks the origin for one key, and may say what the value depends on. */
export type SmartLoader<V> = (context: SmartLoadContext) => ReturnType<Loader<V>>

/** How often a `set` is tried while what it depends on changes underneath. */
const attempts = 5

/** How many tags one call invalidates: a server does nothing else meanwhile. */
const tagsAtOnce = 500

/**
 * A cache whose values depend on others: to invalidate one ends all that was made from it, however deep, through cycles
 * and diamonds, in every process that shares the cache.
 *
 * Each entry carries the tags of all that it depends on, directly or not, as they were when its load began. So one call
 * ends everything downstream at once, and a value that is loaded meanwhile from an old one is not kept. An index beside
 * the entries says what an invalidation took. If the store loses parts of the index, answers may leave keys out; what they
 * leave out ends all the same.
 *
 * Read and write keys with dependencies through a `SmartCache`. A hit costs what it costs in the cache, and the making of
 * the tags of its `dependsOn`.
 */
export class SmartCache {
  readonly #cache: Cache
  readonly #isStale: ((entry: SmartEntry) => boolean) | undefined
  readonly #index: DependencyIndex

  constructor(options: SmartCacheOptions) {
    checkCache('SmartCache', options)
    const { cache, isStale, maxAncestors, maxDependents, remember, ...rest } = options
    for (const name of Object.keys(rest)) throw new TypeError(`unknown option '${name}' of SmartCache`)
    if (isStale !== undefined && typeof isStale !== 'function')
      throw new TypeError('isStale must be a function')
    this.#cache = cache
    this.#isStale = isStale
    this.#index = dependencyIndex(cache, {
      maxAncestors: checkCount(maxAncestors ?? smartCacheDefaults.maxAncestors, 'maxAncestors'),
      maxDependents: checkCount(maxDependents ?? smartCacheDefaults.maxDependents, 'maxDependents'),
      remember: toMs(remember ?? smartCacheDefaults.remember, 'remember'),
    })
  }

  /** The fresh value, or `undefined`; one that `isStale` refuses is none. */
  async get<V = unknown>(key: string): Promise<V | undefined> {
    if (this.#isStale === undefined) return this.#cache.get<V>(key)
    const entry = await this.getEntry<V>(key)
    return entry?.state === 'fresh' ? entry.value : undefined
  }

  /** The entry, fresh or stale, with what it depends on, or `undefined`; one that `isStale` refuses is stale. */
  async getEntry<V = unknown>(key: string): Promise<SmartEntry<V> | undefined> {
    const entry = await this.#cache.getEntry<V>(key)
    if (entry === undefined) return undefined
    const view: SmartEntry<V> = {
      ...entry,
      key,
      dependsOn: namesIn(entry.tags).filter((name) => name !== key),
    }
    if (view.state === 'stale' || checkAtOnce(this.#isStale?.(view), 'isStale') !== true) return view
    await this.#cache.expire(key)
    return { ...view, state: 'stale', ttlMs: 0 }
  }

  /**
   * The value, or what the loader brings, kept with what it depends on: `dependsOn`, and what the loader adds. One load
   * per key at a time. A value that was made from something invalidated since its load began is answered and not kept.
   */
  async getOrSet<V>(
    key: string,
    loader: SmartLoader<V>,
    options: GetOrSetOptions & DependsOn = {},
  ): Promise<V> {
    if (typeof loader !== 'function') throw new TypeError('loader must be a function')
    const { dependsOn: given = [], ...rest } = options
    checkNames(given)
    const dependsOn = given.filter((name) => name !== key)
    // Also when it brings a key's end, it is a read and waits for the load with all others.
    if (this.#isStale !== undefined && rest.forceRefresh !== true) await this.getEntry(key)
    const tags = tagsOf(key, dependsOn)
    if (rest.tags !== undefined) tags.push(...rest.tags)
    return this.#cache.getOrSet<V>(key, (context) => this.#load(context, loader, dependsOn), {
      ...rest,
      tags,
    })
  }

  /**
   * Replaces the entry and what it depends on. A value that you computed from others may have been overtaken by an
   * invalidation before this call; `getOrSet` notices, and is the better choice for those.
   */
  async set(key: string, value: unknown, options: SetOptions & DependsOn = {}): Promise<void> {
    checkKey(key)
    const { dependsOn = [], ...rest } = options
    checkNames(dependsOn)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const ancestors = await this.#declare(key, dependsOn)
      if (ancestors === undefined) break
      await this.#cache.set(key, value, { ...rest, tags: [...(rest.tags ?? []), ...tagsOf(key, ancestors)] })
      // What it depends on may have come to depend on more before the tags' versions were captured.
      const now = await this.#ancestorsOf(key, dependsOn)
      const declared = await this.#index.declared(key)
      if (isWithin(now, ancestors) && isWithin(ancestors, declared ?? [])) return
    }
    await this.#cache.delete(key)
  }

  /** Removes the entry and nothing else; tells whether there was one. */
  delete(key: string): Promise<boolean> {
    return this.#cache.delete(key)
  }

  /**
   * Ends the entry and, unless `cascade` is `false`, everything that depends on it, however deep. The name need not be a
   * key. Once it resolves nobody gets any of it, in any process, and no load that began before is kept.
   *
   * Answers with the keys of the entries it took: the named one first, and what a thing was made from before the thing. Keys that the index lost, or that came while it
   * was asked, end and are not in the answer.
   */
  async invalidate(key: string, options: { readonly cascade?: boolean | undefined } = {}): Promise<string[]> {
    checkKey(key)
    const { cascade = true } = options
    if (!cascade) return (await this.#cache.delete(key)) ? [key] : []
    const listed = (await this.#index.dependentsOf(key)).filter((other) => other !== key)
    const tag = valueTag(key)
    const seen = await Promise.all([key, ...listed].map((other) => this.#cache.explain(other)))
    const depends = seen.filter((one) => one.key === key || one.state === 'absent' || one.tags.includes(tag))
    // The name's own tag ends all of them. Those of the others make a load take note that begins now, in a process that
    // has not heard of this yet and still reads one of them.
    const tags = depends.map((one) => valueTag(one.key)).toReversed()
    // First: what is loaded after the tags have changed is to be listed anew, and who has heard of those has heard of this.
    if (listed.length > 0) await this.#index.forgetDependents(key)
    for (let from = 0; from < tags.length; from += tagsAtOnce) {
      await this.#cache.invalidateTags(tags.slice(from, from + tagsAtOnce))
    }
    // An entry that was put in past this class has no tag.
    await this.#cache.delete(key)
    // What a thing is made from has fewer names above it than the thing.
    const above = (one: Explanation): number => (one.key === key ? 0 : namesIn(one.tags).length)
    return depends
      .filter((one) => one.state !== 'absent')
      .toSorted((one, other) => above(one) - above(other))
      .map((one) => one.key)
  }

  async #load<V>(
    context: LoadContext,
    loader: SmartLoader<V>,
    given: readonly string[],
  ): Promise<Awaited<ReturnType<Loader<V>>>> {
    const names = new Set(given)
    const smart = withDependsOn(context, (added) => {
      checkNames(added)
      for (const name of added) names.add(name)
    })
    const answer = await loader(smart)
    const { options } = context
    const ancestors = await this.#declare(context.key, [...names]).catch(() => undefined)
    // Too much to keep track of, or nobody to ask.
    if (ancestors === undefined) options.ttl = 0
    else options.tags = [...new Set([...(options.tags ?? []), ...tagsOf(context.key, ancestors)])]
    return answer
  }

  /**
   * Tells the index what the key depends on, before any process can see a value of it. `undefined`: too much.
   *
   * What depends on this key has the tags of what it depended on then. If there is more now, or nobody knows what there
   * was, those entries end: they could not be reached otherwise.
   */
  async #declare(key: string, names: readonly string[]): Promise<readonly string[] | undefined> {
    const ancestors = await this.#ancestorsOf(key, names)
    if (ancestors === undefined) {
      await this.#index.declare(key, undefined)
      return undefined
    }
    const before = await this.#index.declared(key)
    if (before === undefined && ancestors.length === 0) return ancestors
    await this.#index.list(key, ancestors)
    if (before === undefined || !isSame(before, ancestors)) await this.#index.declare(key, ancestors)
    if (!isWithin(ancestors, before ?? [])) await this.#cache.invalidateTags([graphTag(key)])
    return ancestors
  }

  /** Everything the key depends on through those names, but for itself. */
  async #ancestorsOf(key: string, names: readonly string[]): Promise<readonly string[] | undefined> {
    const ancestors = await this.#index.ancestorsOf(names)
    return ancestors?.filter((name) => name !== key)
  }
}

/** The context of a load, with one more method. Its other members are asked for when somebody wants them. */
function withDependsOn(context: LoadContext, add: (names: string[]) => void): SmartLoadContext {
  return {
    get key() {
      return context.key
    },
    get signal() {
      return context.signal
    },
    get previous() {
      return context.previous
    },
    get options() {
      return context.options
    },
    dependsOn: (...names) => add(names),
  }
}

function checkNames(names: unknown): void {
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new TypeError('dependsOn must be an array of non-empty strings')
  }
}

function isWithin(some: readonly string[] | undefined, all: readonly string[]): boolean {
  if (some === undefined) return false
  const names = new Set(all)
  return some.every((name) => names.has(name))
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && isWithin(some, others)
