import { Cache, cacheOptionNames, type CacheSettings } from '@flow-cache/core'
import { libsqlStore } from './libsql-store.js'
import { type LibsqlStoreOptions, storeOptionNames } from './options.js'

/** What {@link LibsqlCache} takes: what any cache takes, and where its file is. */
export interface LibsqlCacheOptions extends CacheSettings, LibsqlStoreOptions {}

/**
 * A cache in a file: warm after a restart, and shared by every process of this machine that opens the same file. Each
 * read asks the file; `MultiLevelCache` puts memory in front.
 */
export class LibsqlCache extends Cache {
  constructor(options: LibsqlCacheOptions) {
    const own: Record<string, unknown> = {}
    const settings: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(options)) {
      if (name === 'store') throw new TypeError('LibsqlCache makes its own store; createCache takes one')
      const isOwn = storeOptionNames.includes(name)
      if (!isOwn && !cacheOptionNames.includes(name)) {
        const known = [...storeOptionNames, ...cacheOptionNames].join(', ')
        throw new TypeError(`unknown option '${name}' in LibsqlCache; known are ${known}`)
      }
      if (isOwn) own[name] = value
      if (!isOwn || name === 'clock') settings[name] = value
    }
    const store = libsqlStore(own as unknown as LibsqlStoreOptions)
    try {
      super({ ...settings, store })
    } catch (error) {
      // Nobody else can close it.
      void store.close()
      throw error
    }
  }
}
