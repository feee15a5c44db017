import { type Cache, type Duration, toMs } from '@flow-cache/core'
import { checkCache, checkNames } from './checks.js'

/** What {@link flowKeyv} takes beside the cache. */
export interface FlowKeyvOptions {
  /** How long what Keyv sets without a ttl is fresh. Default: `Infinity`, as with Keyv's own adapters. */
  readonly ttl?: Duration | undefined
  /** Whether `disconnect` closes the cache. Default: `false`; it belongs to who made it. */
  readonly closes?: boolean | undefined
}

/** One of several values that Keyv sets together. */
interface KeyvPair {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
}

/** A storage adapter for Keyv 5 and 6 that keeps its entries in a cache. */
export interface FlowKeyv {
  /** What Keyv asks an adapter for before it iterates. */
  readonly opts: { readonly dialect: string; readonly url: string }
  /** Set by Keyv. Its entries are in the cache's namespace of that name, and `clear` ends them alone. */
  namespace: string | undefined
  // Keyv's own types let the caller say what a value is; so does this one.
  get<Value>(key: string): Promise<Value | undefined>
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  /** `ttl` in milliseconds, one of 0 or less ends the entry; without one it is there until it is evicted. */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(pairs: readonly KeyvPair[]): Promise<boolean[]>
  delete(key: string): Promise<boolean>
  /** Whether all of them were there. */
  deleteMany(keys: string[]): Promise<boolean>
  /** Ends the entries of the namespace, or of the whole cache where there is none. One write, however many there are. */
  clear(): Promise<void>
  /** The fresh entries of the namespace, with their keys; needs a store that lists its keys. */
  iterator<Value>(): AsyncGenerator<[string, Value], void>
  /** Tells of `'error'`: what the cache could not do, though nobody was told. There are no other events. */
  on(event: string, listener: (...args: never[]) => void): this
  /** Stops telling of errors and waits for the work under way; with `closes`, closes the cache. */
  disconnect(): Promise<void>
}

/** How many entries an iteration reads together. */
const pageSize = 100

/**
 * A storage adapter for Keyv over a cache, so that `new Keyv({ store: flowKeyv(cache) })`, cache-manager and
 * `@nestjs/cache-manager` have its tiers. Make one for each Keyv: a Keyv writes its namespace onto the adapter.
 */
export function flowKeyv(cache: Cache, options: FlowKeyvOptions = {}): FlowKeyv {
  checkCache(cache)
  checkNames(options, ['ttl', 'closes'], 'flowKeyv')
  const ttl = toMs(options.ttl ?? Infinity, 'ttl')
  const stops: (() => void)[] = []
  let namespace: string | undefined
  let within = cache

  /** Keyv hands over durations of less than nothing: the entry has ended, and with 0 the cache ends the one before. */
  const lifeOf = (own: number | undefined): number => Math.max(0, own ?? ttl)

  return {
    // Keyv 5 iterates only over adapters whose dialect is in a list of its own.
    opts: { dialect: 'redis', url: '' },

    get namespace() {
      return namespace
    },
    set namespace(name) {
      namespace = name
      within = name === undefined || name === '' ? cache : cache.namespace(name)
    },

    // Keyv tells an adapter from a map by its methods being `async`.
    async get<Value>(key: string) {
      return within.get<Value>(key)
    },

    async getMany<Value>(keys: string[]) {
      const found = await within.getMany<Value>(keys)
      return keys.map((key) => found.get(key))
    },

    async has(key) {
      return within.has(key)
    },

    async hasMany(keys) {
      const found = await within.getMany(keys)
      return keys.map((key) => found.has(key))
    },

    async set(key, value, own) {
      await within.set(key, value, { ttl: lifeOf(own) })
      return true
    },

    async setMany(pairs) {
      // The last one of a key counts, also where it is in another group.
      const last = new Map(pairs.map((pair) => [pair.key, pair]))
      const byTtl = new Map<number, [string, unknown][]>()
      for (const { key, value, ttl: own } of last.values()) {
        const life = lifeOf(own)
        const group = byTtl.get(life)
        if (group === undefined) byTtl.set(life, [[key, value]])
        else group.push([key, value])
      }
      await Promise.all([...byTtl].map(([ttl, group]) => within.setMany(group, { ttl })))
      return pairs.map(() => true)
    },

    async delete(key) {
      return within.delete(key)
    },

    async deleteMany(keys) {
      return (await within.deleteMany(keys)) === new Set(keys).size
    },

    async clear() {
      return within.clear()
    },

    async *iterator<Value>() {
      const from = within
      let page: string[] = []
      for await (const key of from.keys()) {
        if (page.push(key) < pageSize) continue
        yield* await from.getMany<Value>(page)
        page = []
      }
      yield* await from.getMany<Value>(page)
    },

    on(event, listener) {
      if (event === 'error')
        stops.push(cache.on('error', ({ error }) => (listener as (error: unknown) => void)(error)))
      return this
    },

    async disconnect() {
      for (const stop of stops.splice(0)) stop()
      await (options.closes === true ? cache.close() : cache.drain())
    },
  }
}
