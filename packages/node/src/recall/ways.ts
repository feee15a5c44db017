import type { GetOrSetOptions } from '@flow-cache/core'
import type { CacheControl } from '../control.js'
import type { KeepingOptions } from '../options.js'

/**
 * How the cache is asked.
 *
 * - `'usual'`: an old answer is given at once, where `stale` allows one.
 * - `'patient'`: it is not; what is under way is waited for.
 * - `'anew'`: the step runs, whatever is there.
 */
export type Way = 'usual' | 'patient' | 'anew'

/** The options of a call to the cache. `keeping` are those that all calls have in common. */
export function asksFor(
  { keeping, options }: { readonly keeping: GetOrSetOptions; readonly options: KeepingOptions },
  { ttl, mode }: CacheControl,
  way: Way,
): GetOrSetOptions {
  const writes = mode !== 'no-store'
  // What is there stands in for a step that fails only where `staleIfError` says so.
  const standsIn = options.staleIfError !== undefined
  return {
    ...keeping,
    ...(ttl !== undefined && { ttl }),
    ...(!writes && { skip: 'write' }),
    ...(way !== 'usual' && { timeouts: { soft: Infinity } }),
    ...(way === 'anew' && (standsIn ? { forceRefresh: true } : { skip: writes ? 'read' : 'both' })),
  }
}
