import { Cache, type CacheSettings } from '@flow-cache/core'
import type { TieredStoreOptions } from './options.js'
import { tieredStore } from './tiered-store.js'

/** What {@link MultiLevelCache} takes: what any cache takes, and its tiers. */
export interface MultiLevelCacheOptions extends CacheSettings, TieredStoreOptions {}

/**
 * A cache over several tiers, usually memory in front of Redis: hits cost what memory costs, every process shares one
 * load, and what one of them changes no other serves any more.
 */
export class MultiLevelCache extends Cache {
  constructor(options: MultiLevelCacheOptions) {
    if (typeof options !== 'object' || options === null)
      throw new TypeError('MultiLevelCache takes { tiers, … }')
    if ('store' in options)
      throw new TypeError('MultiLevelCache makes its own store of its tiers; createCache takes one')
    const { tiers, ...settings } = options
    const { clock } = settings
    super({ ...settings, store: tieredStore(clock === undefined ? { tiers } : { tiers, clock }) })
  }
}
