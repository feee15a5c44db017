import type { Entry } from './entry.js'

/** An entry that can be used. */
export interface Found {
  readonly entry: Entry
  /** Its value, in today's layout. */
  readonly value: unknown
  readonly state: 'fresh' | 'stale'
}

/** What a look into the store ended with: an entry, nothing, or a failure that everyone who looked tells of. */
export type Look = { readonly entry: Entry | undefined } | { readonly error: unknown }
