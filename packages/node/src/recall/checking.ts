import { toMs } from '@flow-cache/core'
import { isKept, type Kept } from '../answer.js'
import type { CacheControl } from '../control.js'
import type { NodeResult } from '../node.js'
import type { Setup } from './setup.js'

/** What is wrong with what was found, or `undefined`. Anything may be in a shared store. */
export function wrongWith(
  setup: Setup,
  key: string,
  value: unknown,
  { maxAge }: CacheControl,
): 'integrity' | 'max-age' | undefined {
  if (!isKept(value, key)) return 'integrity'
  if (maxAge !== undefined && setup.clock.now() - value.at > toMs(maxAge, 'cache.maxAge')) return 'max-age'
  if (value.result.success && value.result.interrupt !== undefined) return 'integrity'
  return isWorthKeeping(setup, value) ? undefined : 'integrity'
}

/** What the caller's own validator says, on write and on read. One that throws says no. */
export function isWorthKeeping({ options: { store } }: Setup, kept: Kept): boolean {
  if (store === undefined || !kept.result.success) return true
  try {
    return store(withChunks(kept))
  } catch {
    return false
  }
}

/** What functions in the options see of a stream: its chunks, as the output. */
export function withChunks(kept: Kept): NodeResult {
  return kept.stream === undefined || !kept.result.success
    ? kept.result
    : { ...kept.result, output: kept.stream.chunks }
}
