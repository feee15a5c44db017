import type { Entry } from './entry.js'

/**
 * Sees every read that is answered fresh, at the least cost: no object is made to tell it, and most calls are not
 * timed. For metrics and traces; whoever else wants to know of hits listens to the `hit` event.
 *
 * It is called while somebody waits for a value: it must be quick, and must not throw.
 */
export interface Watcher {
  /** Whether the call that begins is to be timed. Asked once for each `getOrSet`, `get`, `getEntry` and `has`. */
  due(): boolean
  /** A fresh answer for the key. `began`: when the call began, by the cache's clock, or 0 where it is not timed. */
  hit(key: string, namespace: string, entry: Entry, began: number): void
  /** Runs a loader, or a `loadMany` for its keys, and answers with what it answers. Default: just runs it. */
  around?<T>(keys: readonly string[], namespace: string, run: () => T): T
}

/** One watcher that stands for all of them, or `undefined` for none. */
export function watcherOf(watchers: readonly Watcher[]): Watcher | undefined {
  if (watchers.length < 2) return watchers[0]
  return {
    due: () => watchers.map((watcher) => watcher.due()).includes(true),
    hit(key, namespace, entry, began) {
      for (const watcher of watchers) watcher.hit(key, namespace, entry, began)
    },
    around: (keys, namespace, run) =>
      watchers.reduceRight((inner, watcher) => () => runIn(watcher, keys, namespace, inner), run)(),
  }
}

/** Runs a loader with the watcher around it, where it wants to be. */
export function runIn<T>(
  watcher: Watcher | undefined,
  keys: readonly string[],
  namespace: string,
  run: () => T,
): T {
  return watcher?.around === undefined ? run() : watcher.around(keys, namespace, run)
}
