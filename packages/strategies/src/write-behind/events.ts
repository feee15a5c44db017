/** Every event a {@link WriteBehindCache} tells of, by name. */
export interface WriteBehindEvents {
  /** The journal has accepted an operation. */
  accept: WriteEvent
  /** The origin has done it. */
  apply: WriteEvent
  /** It failed at the origin and is tried again after `delayMs`. */
  retry: WriteEvent & { readonly attempts: number; readonly delayMs: number; readonly error: unknown }
  /** It was given up: it failed as often as `retry.attempts` says, or with an error that is not worth a retry. */
  deadLetter: WriteEvent & { readonly attempts: number; readonly error: unknown }
  /** The origin has failed several times in a row, and is asked for one key at a time until it answers again. */
  originDown: { readonly error: unknown }
  /** The origin has taken a write again, after so many failures in a row. */
  originUp: { readonly failures: number }
  /** As many operations are pending as `maxPending` allows; told once for each that found no room. */
  full: { readonly key: string; readonly policy: 'block' | 'reject' | 'write-through' }
  /** A pass over what was due has ended. */
  flush: FlushReport
  /** Something failed that no caller is told of: the journal during a pass, the cache behind a write, a listener. */
  error: { readonly error: unknown; readonly during: string; readonly key?: string }
}

/** What events about one operation have in common. */
export interface WriteEvent {
  readonly key: string
  readonly sequence: number
  readonly kind: 'put' | 'delete'
}

/** How things stand after a flush. */
export interface FlushReport {
  /** How many operations this process has brought to the origin since the call. */
  readonly flushed: number
  /** How many are in the journal still, and will be tried again. */
  readonly pending: number
  /** How many were given up, and wait in `deadLetters()`. */
  readonly dead: number
}

/** Every event there is. */
export const eventNames: readonly WriteBehindEventName[] = [
  'accept',
  'apply',
  'retry',
  'deadLetter',
  'originDown',
  'originUp',
  'full',
  'flush',
  'error',
]

export type WriteBehindEventName = keyof WriteBehindEvents
