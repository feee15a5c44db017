import type { Entry } from './entry.js'
import type { Plan } from './plan.js'
import type { Scope } from './scope.js'

/** A key that is asked for, and how. */
export interface Target {
  readonly scope: Scope
  /** As the caller gave it. */
  readonly key: string
  /** As the store knows it. */
  readonly storeKey: string
  readonly plan: Plan
}

/** An entry that can be used. */
export interface Found {
  readonly entry: Entry
  /** Its value, in today's layout. */
  readonly value: unknown
  readonly state: 'fresh' | 'stale'
}
