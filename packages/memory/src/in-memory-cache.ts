import { Cache, cacheOptionNames, type CacheSettings } from '@flow-cache/core'
import { memoryStore } from './memory-store.js'
import { checkNames, type MemoryStoreOptions, storeOptionNames } from './options.js'

/** What {@link InMemoryCache} takes: what any cache takes, and the bounds of its memory. */
export interface InMemoryCacheOptions extends CacheSettings, MemoryStoreOptions {}

/** A cache that lives in this process alone: single flight, stale values for bad times, tags, namespaces, bounded. */
export class InMemoryCache extends Cache {
  constructor(options: InMemoryCacheOptions = {}) {
    checkNames(options, [...new Set([...storeOptionNames, ...cacheOptionNames])], 'InMemoryCache')
    const own: Record<string, unknown> = {}
    const settings: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(options)) {
      if (name === 'store') throw new TypeError('InMemoryCache makes its own store; createCache takes one')
      if (storeOptionNames.includes(name)) own[name] = value
      if (cacheOptionNames.includes(name)) settings[name] = value
    }
    super({ ...settings, store: memoryStore(own) })
  }
}
