import type { CacheInfo, Status } from '../cache-info.js'
import type { CacheControl } from '../control.js'
import type { Batch } from './batch.js'
import type { KeptItem } from './kept-item.js'
import type { MapSetup } from './map-setup.js'

/** Counts what became of each item, and says it. */
export function accountFor({
  setup: { clock, books, nodeId },
  batch,
  found,
  began,
  control,
}: {
  readonly setup: MapSetup
  readonly batch: Batch
  readonly found: ReadonlyMap<string, KeptItem>
  readonly began: number
  readonly control: CacheControl
}): CacheInfo {
  const now = clock.now()
  const made: Status = control.mode === 'refresh' ? 'refresh' : 'miss'
  let [hits, stale, foundMs] = [0, 0, 0]
  for (const [key, { cost, at, ttlMs }] of found) {
    if (batch.computed.has(key)) books.savings.answered(nodeId, made, cost)
    else {
      const isStale = now - at >= ttlMs
      hits++
      foundMs += cost.ms
      if (isStale) stale++
      // Made while this caller waited, by another caller's run.
      books.savings.answered(nodeId, at > began ? 'shared' : isStale ? 'stale' : 'hit', cost)
    }
  }
  const misses = found.size - hits
  const lookupMs = Math.max(0, now - began - batch.spentMs)
  books.savings.overhead(nodeId, lookupMs)
  return {
    status: misses > 0 ? made : stale > 0 ? 'stale' : 'hit',
    lookupMs,
    items: { hits, misses },
    ...(foundMs > 0 && { savedMs: foundMs - lookupMs }),
  }
}
