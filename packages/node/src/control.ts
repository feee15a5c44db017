import type { Duration } from '@flow-cache/core'
import { checkDuration, checkNames, checkObject, checkOneOf, checkText } from './checks.js'

/** How one call, or one run of a workflow, uses its caches. */
export interface CacheControl {
  /**
   * - `'default'`
   * - `'bypass'`: as if there were no cache.
   * - `'refresh'`: run again, and keep what comes.
   * - `'only-if-cached'`: never run; a miss is a failure with the code `CACHE_MISS`.
   * - `'no-store'`: take what is there, keep nothing new.
   */
  readonly mode?: 'default' | 'bypass' | 'refresh' | 'only-if-cached' | 'no-store' | undefined
  /** An entry older than this counts as a miss. Default: as old as its `ttl` allows. */
  readonly maxAge?: Duration | undefined
  /** Replaces the node's `ttl` for what this call keeps. */
  readonly ttl?: Duration | undefined
  /** Keeps this call's entries apart from all others. Default: none. */
  readonly namespace?: string | undefined
}

/** The control itself, or a `TypeError` or `RangeError` that names what is wrong with it. */
export function checkControl(control: CacheControl | undefined): CacheControl {
  if (control === undefined) return none
  checkObject(control, 'cache')
  checkNames(control, ['mode', 'maxAge', 'ttl', 'namespace'], 'cache')
  checkOneOf(control.mode, ['default', 'bypass', 'refresh', 'only-if-cached', 'no-store'], 'cache.mode')
  checkDuration(control.maxAge, 'cache.maxAge')
  checkDuration(control.ttl, 'cache.ttl')
  if (control.namespace !== undefined) checkText(control.namespace, 'cache.namespace')
  return control
}

const none: CacheControl = Object.freeze({})
