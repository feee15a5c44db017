import type { Clock } from '../clock.js'
import type { Entry } from '../entry.js'
import { matchGlob } from '../glob.js'
import type { Store } from '../store.js'

/**
 * The plainest store there is, and the one every other must agree with: a `Map`, unbounded, answering at once. It
 * outlives its `close`, so that a test can hand it from one cache to the next.
 */
export function mapStore(clock: Pick<Clock, 'now'>): Store {
  const entries = new Map<string, Entry>()
  const get = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    return entry !== undefined && clock.now() < entry.expiresAt ? entry : undefined
  }
  const set = (key: string, entry: Entry): void => {
    if (clock.now() < entry.expiresAt) entries.set(key, entry)
    else entries.delete(key)
  }
  const remove = (key: string): boolean => {
    const found = get(key) !== undefined
    entries.delete(key)
    return found
  }
  const matching = (prefix: string): string[] => [...entries.keys()].filter((key) => key.startsWith(prefix))

  return {
    tiers: ['map'],
    get,
    set,
    delete: remove,
    clear(prefix = '') {
      for (const key of matching(prefix)) entries.delete(key)
    },
    close() {},
    local: { get, peek: get },
    batch: {
      getMany: (keys) => keys.map(get),
      setMany(pairs) {
        for (const [key, entry] of pairs) set(key, entry)
      },
      deleteMany: (keys) => keys.filter(remove).length,
    },
    keys: {
      async *scan(prefix, glob = '*') {
        const keys = matching(prefix).filter(
          (key) => get(key) !== undefined && matchGlob(glob, key.slice(prefix.length)),
        )
        for (let i = 0; i < keys.length; i += 100) yield keys.slice(i, i + 100)
      },
    },
  }
}
