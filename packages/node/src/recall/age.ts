import { toMs } from '@flow-cache/core'
import type { CacheControl } from '../control.js'
import type { KeepingOptions } from '../options.js'
import type { Way } from './ways.js'

/** What of an entry says how old it is. */
export interface Aging {
  readonly at: number
  readonly ttlMs: number
}

/** Whether what was found is too old for this call, and why. What stands in for a step that failed may be of any age. */
export function tooOld(
  { at, ttlMs }: Aging,
  now: number,
  asked: { readonly options: KeepingOptions; readonly control: CacheControl; readonly way: Way },
): 'max-age' | 'expired' | undefined {
  const { options, control, way } = asked
  if (way === 'anew') return undefined
  const age = now - at
  const { maxAge } = control
  if (maxAge !== undefined && age > toMs(maxAge, 'cache.maxAge')) return 'max-age'
  const { stale } = options
  return way === 'usual' && stale !== undefined && age > ttlMs + toMs(stale, 'stale') ? 'expired' : undefined
}
