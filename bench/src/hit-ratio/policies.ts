import { createEntry } from '@flow-cache/core'
import { memoryStore, type Policy } from '@flow-cache/memory'
import { beladyHits } from './belady.js'
import { s3FifoHits } from './s3-fifo.js'
import { sameEachTime } from './same-each-time.js'
import type { Trace } from './trace.js'

/** How many requests of a trace are hits in an empty cache with room for so many entries. */
export type Hits = (trace: Trace, size: number) => number

/** Who can be asked. `lru` and `adaptive` are those of `memoryStore`, and not copies. */
export const policies = {
  lru: (trace, size) => storeHits('lru', trace, size),
  's3-fifo': s3FifoHits,
  adaptive: (trace, size) => storeHits('adaptive', trace, size),
  belady: beladyHits,
} satisfies Record<string, Hits>

export type PolicyName = keyof typeof policies

/** Hits as a share of all requests, in percent. */
export function hitRatio(policy: PolicyName, trace: Trace, size: number): number {
  return (100 * policies[policy](trace, size)) / trace.ids.length
}

function storeHits(policy: Policy, { ids, unique }: Trace, size: number): number {
  const keys = Array.from({ length: unique }, (_, id) => `key:${id}`)
  const store = memoryStore({ policy, maxEntries: size, random: sameEachTime(), sweepInterval: Infinity })
  const entry = createEntry({ value: true, createdAt: Date.now(), ttl: Infinity })
  const { get } = store.local!
  let hits = 0
  for (const id of ids) {
    const key = keys[id]!
    if (get(key) === undefined) void store.set(key, entry)
    else hits++
  }
  void store.close()
  return hits
}
