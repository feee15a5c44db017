import type { Entry } from './entry.js'

/** An entry that can be used. */
export interface Found {
  readonly entry: Entry
  /** Its value, in today's layout. */
  readonly value: unknown
  readonly state: 'fresh' | 'stale'
}
