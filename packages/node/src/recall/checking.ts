import { isKept, type Kept } from '../answer.js'
import type { CacheControl } from '../control.js'
import type { NodeResult } from '../node.js'
import type { KeepingOptions } from '../options.js'
import { yesOrNo } from '../yes-or-no.js'
import { tooOld } from './age.js'
import type { Setup } from './setup.js'
import type { Way } from './ways.js'

/** What is wrong with what was found, or `undefined`. Anything may be in a shared store. */
export function wrongWith(
  { options, clock }: Setup,
  key: string,
  value: unknown,
  asked: { readonly control: CacheControl; readonly way: Way },
): 'integrity' | 'max-age' | 'expired' | undefined {
  if (!isKept(value, key)) return 'integrity'
  if (value.result.success && value.result.interrupt !== undefined) return 'integrity'
  if (!isWorthKeeping(options, value)) return 'integrity'
  return tooOld(value, clock.now(), { options, ...asked })
}

/** What the caller's own validator says, on write and on read. One that throws or answers later says no. */
export function isWorthKeeping({ store }: KeepingOptions, kept: Kept): boolean {
  if (store === undefined || !kept.result.success) return true
  try {
    return yesOrNo(store(withChunks(kept)), 'store')
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
