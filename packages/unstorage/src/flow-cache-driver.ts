import { type Cache, type Clock, type Duration, escapeGlob, systemClock, toMs } from '@flow-cache/core'
import { checkNames, wrong } from './checks.js'

/** What {@link flowCacheDriver} takes. */
export interface FlowCacheDriverOptions {
  /** Where items are kept; a namespace of a cache serves as well. Listing and clearing below a base need its store to list keys. */
  readonly cache: Cache
  /** How long an item without a `ttl` of its own is kept. Default: `Infinity`, as with unstorage's own drivers. */
  readonly ttl?: Duration | undefined
  /** Whether `dispose` closes the cache. Default: `false`; it belongs to who made it. */
  readonly closes?: boolean | undefined
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** What unstorage hands over with an item; `ttl` is in seconds. */
interface ItemOptions {
  readonly ttl?: number
}

interface Item {
  readonly key: string
  readonly value: unknown
  readonly options?: ItemOptions | undefined
}

/** A driver for unstorage that keeps its items in a cache. */
export interface FlowCacheDriver {
  readonly name: string
  readonly flags: { readonly ttl: boolean }
  getInstance(): Cache
  hasItem(key: string): Promise<boolean>
  getItem(key: string): Promise<string | null>
  getItems(items: readonly { readonly key: string }[]): Promise<{ key: string; value: string | null }[]>
  /** The value as `setItemRaw` took it, bytes, dates and maps included. */
  getItemRaw(key: string): Promise<unknown>
  setItem(key: string, value: string, options?: ItemOptions): Promise<void>
  setItems(items: readonly Item[], options?: ItemOptions): Promise<void>
  setItemRaw(key: string, value: unknown, options?: ItemOptions): Promise<void>
  removeItem(key: string): Promise<void>
  /** When the item was set, and how many more seconds it is kept. */
  getMeta(key: string): Promise<{ mtime: Date; ttl?: number } | null>
  getKeys(base?: string): Promise<string[]>
  /** Ends the items below the base; without one, the whole cache or namespace in one write. */
  clear(base?: string): Promise<void>
  /** Ends watching and waits for the work under way; with `closes`, closes the cache. */
  dispose(): Promise<void>
  /** Tells of what this process sets, loads, removes and evicts, whoever does it. */
  watch(callback: (event: 'update' | 'remove', key: string) => unknown): () => void
}

/** A driver for unstorage over a cache: `createStorage({ driver: flowCacheDriver({ cache }) })`. */
export function flowCacheDriver(options: FlowCacheDriverOptions): FlowCacheDriver {
  checkNames(options, ['cache', 'ttl', 'closes', 'clock'], 'flowCacheDriver')
  const { cache, closes = false, clock = systemClock } = options
  if (typeof cache?.getOrSet !== 'function') wrong('cache', 'a cache of flow-cache', cache)
  const ttl = toMs(options.ttl ?? Infinity, 'ttl')
  const stops = new Set<() => void>()
  const lifeOf = (item: ItemOptions | undefined): number => (item?.ttl === undefined ? ttl : item.ttl * 1_000)
  const below = (base: string | undefined): string => `${escapeGlob(base ?? '')}*`

  async function get<T>(key: string): Promise<T | null> {
    return (await cache.get<T>(key)) ?? null
  }

  async function set(key: string, value: unknown, item?: ItemOptions): Promise<void> {
    await cache.set(key, value, { ttl: lifeOf(item) })
  }

  return {
    name: 'flow-cache',
    flags: { ttl: true },
    getInstance: () => cache,
    hasItem: (key) => cache.has(key),
    getItem: get,
    getItemRaw: get,
    setItem: set,
    setItemRaw: set,

    async getItems(items) {
      const found = await cache.getMany<string>(items.map(({ key }) => key))
      return items.map(({ key }) => ({ key, value: found.get(key) ?? null }))
    },

    async setItems(items, common) {
      const byTtl = new Map<number, [string, unknown][]>()
      for (const { key, value, options: own } of items) {
        const life = lifeOf({ ...common, ...own })
        const group = byTtl.get(life)
        if (group === undefined) byTtl.set(life, [[key, value]])
        else group.push([key, value])
      }
      await Promise.all([...byTtl].map(([life, group]) => cache.setMany(group, { ttl: life })))
    },

    async removeItem(key) {
      await cache.delete(key)
    },

    async getMeta(key) {
      const entry = await cache.getEntry(key)
      if (entry?.state !== 'fresh') return null
      const { ageMs, ttlMs } = entry
      const mtime = new Date(clock.now() - ageMs)
      return ttlMs === Infinity ? { mtime } : { mtime, ttl: ttlMs / 1_000 }
    },

    async getKeys(base) {
      const keys = new Set<string>()
      for await (const key of cache.keys(below(base))) keys.add(key)
      return [...keys]
    },

    async clear(base = '') {
      if (base === '') await cache.clear()
      else await cache.clearPattern(below(base))
    },

    async dispose() {
      for (const stop of stops) stop()
      await (closes ? cache.close() : cache.drain())
    },

    watch(callback) {
      const tell =
        (kind: 'update' | 'remove') =>
        ({ key, namespace }: { readonly key: string; readonly namespace: string }): unknown =>
          namespace === cache.name ? callback(kind, key) : undefined
      const offs = [
        cache.on('set', tell('update')),
        cache.on('load', tell('update')),
        cache.on('delete', tell('remove')),
        cache.on('evict', tell('remove')),
      ]
      const stop = (): void => {
        stops.delete(stop)
        for (const off of offs) off()
      }
      stops.add(stop)
      return stop
    },
  }
}
