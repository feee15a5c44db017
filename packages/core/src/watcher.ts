import type { Entry } from './entry.js'

/**
 * Sees every read that is answered fresh, at the least cost: no object is made to tell it, and most calls are not
 * timed. For metrics and traces; whoever else wants to know of hits listens to the `hit` event.
 *
 * It is called while somebody waits for a value: it must be quick, and must not throw.
 */
export interface Watcher {
  /** Sees hits. Absent: hits cost nothing. */
  readonly hits?: HitWatcher
  /** Runs a loader, or a `loadMany` for its keys, and answers with what it answers. Absent: it just runs. */
  around?<T>(keys: readonly string[], namespace: string, run: () => T): T
}

/** See {@link Watcher}. */
export interface HitWatcher {
  /** Whether the call that begins is to be timed. Asked once for each `getOrSet`, `get`, `getEntry` and `has`. */
  due(): boolean
  /** A fresh answer for the key. `began`: when the call began, by the cache's clock, or 0 where it is not timed. */
  hit(key: string, namespace: string, entry: Entry, began: number): void
}

/** One that stands for all of them, or `undefined` for none. */
export function allHits(watchers: readonly Watcher[]): HitWatcher | undefined {
  const all = watchers.flatMap(({ hits }) => hits ?? [])
  if (all.length < 2) return all[0]
  return {
    due() {
      let due = false
      for (const one of all) due = one.due() || due
      return due
    },
    hit(key, namespace, entry, began) {
      for (const one of all) one.hit(key, namespace, entry, began)
    },
  }
}

/** Runs a loader with all of them around it, the first outermost. */
export function runIn<T>(
  watchers: readonly Watcher[],
  keys: readonly string[],
  namespace: string,
  run: () => T,
): T {
  const around = (inner: () => T, watcher: Watcher): (() => T) =>
    watcher.around === undefined ? inner : () => watcher.around!(keys, namespace, inner)
  return watchers.reduceRight(around, run)()
}
