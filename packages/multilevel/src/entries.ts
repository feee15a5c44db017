import { createEntry, type Entry } from '@flow-cache/core'

/** The entry, stale when its time in this tier is over. It ends when it would have. */
export function capped(entry: Entry, now: number, cap: number): Entry {
  if (entry.staleAt - now <= cap) return entry
  const { value, createdAt, expiresAt, loadMs, tags, version } = entry
  const ttl = Math.max(0, now + cap - createdAt)
  return createEntry({ value, createdAt, ttl, grace: expiresAt - createdAt - ttl, loadMs, tags, version })
}

/** The entry as one that this tier has answered. The tags stay the same array: who learns of them learns for both. */
export function atTier(entry: Entry, tier: number): Entry {
  if (entry.tier === tier) return entry
  const { value, createdAt, staleAt, expiresAt, loadMs, tags, version } = entry
  const ttl = staleAt - createdAt
  // For what is fresh for ever there is no difference to tell grace by.
  const grace = staleAt === Infinity ? 0 : expiresAt - staleAt
  return createEntry({ value, createdAt, ttl, grace, loadMs, tags, version, tier })
}
