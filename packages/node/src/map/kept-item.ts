import type { Spent } from '../savings.js'

/** What is stored of one item: its output, without the item itself. */
export interface KeptItem {
  readonly format: 1
  /** The whole key it was written under: an entry that turns up under another is not used. */
  readonly key: string
  readonly output: unknown
  /** The item's share of the call that computed it. */
  readonly cost: Spent
  readonly at: number
  readonly ttlMs: number
}

/** Whether it is what was written under this key; anything may be in a shared store. */
export function isKeptItem(value: unknown, key: string): value is KeptItem {
  if (typeof value !== 'object' || value === null) return false
  const { format, key: own, cost, at, ttlMs } = value as Partial<KeptItem>
  return (
    format === 1 &&
    own === key &&
    typeof cost?.ms === 'number' &&
    typeof at === 'number' &&
    typeof ttlMs === 'number'
  )
}
