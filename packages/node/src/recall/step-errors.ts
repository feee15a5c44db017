import { CacheError } from '@flow-cache/core'
import type { Ran } from '../run.js'

/** A failed result on its way through the cache, which keeps errors by its own rules. */
export class Failed extends Error {
  readonly ran: Ran

  constructor(ran: Ran) {
    super('the step failed')
    this.ran = ran
  }
}

/** What steps threw, as far as it was objects: that is never the cache's. */
const thrown = new WeakSet<object>()

/** Remembers that a step threw it. */
export function threw(error: unknown): void {
  if (typeof error === 'object' && error !== null) thrown.add(error)
}

/** Codes of failures that a caller asked for, by an option or by a mistake. */
const askedFor: ReadonlySet<string> = new Set(['ERR_TIMEOUT', 'ERR_LOAD_TIMEOUT', 'ERR_RECURSION', 'ERR_KEY'])

/** Whether an error is the cache's own failure, and neither the step's nor one the caller asked for. */
export function isOfTheCache(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || thrown.has(error)) return false
  return !(error instanceof CacheError && askedFor.has(error.code))
}
