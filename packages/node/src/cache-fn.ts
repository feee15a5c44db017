import { checkFunction, checkFunctions, checkText } from './checks.js'
import { checkControl, type CacheControl } from './control.js'
import { NodeCacheError } from './errors.js'
import { chosen } from './fields.js'
import type { KeyParts } from './key.js'
import type { NodeSuccess } from './node.js'
import { checkKeeping, type KeepingOptions } from './options.js'
import { Recall } from './recall.js'
import type { CacheInfo } from './cache-info.js'
import type { Savings, SavingsReport } from './savings.js'
import { checkScope, type ScopeOrGlobal } from './scope.js'
import type { Cost } from './price.js'
import { versionFor } from './version.js'
import { yesOrNo } from './yes-or-no.js'

/** Options of {@link cacheFn}. */
export interface CacheFnOptions<Args extends readonly unknown[], V> extends Omit<
  KeepingOptions,
  'store' | 'cost'
> {
  /** Names the function in keys. Two functions over one cache have two names. */
  readonly name: string
  /** Whom an answer belongs to. Required: `'global'`, an object, or a function of the arguments. */
  readonly scope: ScopeOrGlobal | ((...args: Args) => ScopeOrGlobal)
  /** What of the arguments makes the key. Default: all of them. Leave signals and clients out. `undefined` is a `CacheKeyError`. */
  readonly key?: ((...args: Args) => unknown) | undefined
  /** Change it with the function's code. `'source'`: its text. Default: `'0'`. */
  readonly version?: string | undefined
  /** Anything else that answers depend on. */
  readonly config?: unknown
  readonly when?: ((...args: Args) => boolean) | undefined
  /** Whether a value is worth keeping. For a stream: its chunks. Asked before it is written and again after it was read. */
  readonly store?: ((value: V) => boolean) | undefined
  readonly cost?: ((value: V, chunks: readonly unknown[]) => Cost | undefined) | undefined
  readonly tags?: readonly string[] | ((value: V, ...args: Args) => readonly string[]) | undefined
}

/** A function that remembers. */
export interface CachedFn<Args extends readonly unknown[], V> {
  (...args: Args): Promise<V>
  /** Calls it, and says how the answer was come by. */
  ask(control: CacheControl & { readonly signal?: AbortSignal | undefined }, ...args: Args): Promise<Told<V>>
  /** The key of a call, as the cache knows it. */
  keyFor(...args: Args): string
  /** Removes the answer for these arguments; tells whether there was one. */
  invalidate(...args: Args): Promise<boolean>
  readonly savings: Savings
  report(): SavingsReport
}

/** A value, and how it was come by. */
export interface Told<V> {
  readonly value: V
  readonly cache: CacheInfo
}

/**
 * The function, cached, outside of any workflow: inside a step of a durable engine, a queue's worker, a route. A value
 * that is a stream is recorded, and given again to each caller. What the function throws is thrown as it is.
 */
export function cacheFn<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  options: CacheFnOptions<Args, Awaited<R>>,
): CachedFn<Args, Awaited<R>> {
  type V = Awaited<R>
  checkFunction(fn, 'fn')
  const own = ['name', 'scope', 'key', 'version', 'config', 'when', 'tags']
  checkKeeping(options as unknown as KeepingOptions, own, 'cacheFn')
  checkText(options.name, 'name')
  checkFunctions(options, ['key', 'when'])
  const { name, scope, key, when, tags, version, config, store, cost } = options
  if (typeof scope !== 'function') checkScope(scope)
  const recall = new Recall({
    ...options,
    store: store && ((result) => store((result as NodeSuccess<V>).output)),
    cost: cost && ((result, chunks) => cost((result as NodeSuccess<V>).output, chunks)),
  })
  const made = versionFor(fn, version)
  const partsOf = (args: Args): KeyParts => ({
    node: name,
    type: 'function',
    version: made,
    config,
    scope: checkScope(typeof scope === 'function' ? scope(...args) : scope),
    input: key === undefined ? args : chosen(key(...args)),
    reads: {},
  })
  const ask: CachedFn<Args, V>['ask'] = async ({ signal, ...control }, ...args) => {
    const run = async () => ({ success: true as const, output: await fn(...args) })
    const { result, info } = await recall.answer({
      nodeId: name,
      parts: () => partsOf(args),
      wanted: when === undefined || yesOrNo(when(...args), 'when'),
      control: checkControl(control),
      signal,
      tags:
        tags &&
        ((result) => (typeof tags === 'function' ? tags((result as NodeSuccess<V>).output, ...args) : tags)),
      run: async () => ({ result: await run(), effects: [] }),
      runPlain: run,
      emit: () => {},
    })
    if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
    return { value: result.output as V, cache: info }
  }
  return Object.assign(async (...args: Args): Promise<V> => (await ask({}, ...args)).value, {
    ask,
    keyFor: (...args: Args): string => recall.keyFor(partsOf(args), {}),
    invalidate: async (...args: Args): Promise<boolean> =>
      options.cache.delete(recall.keyFor(partsOf(args), {})),
    savings: recall.savings,
    report: (): SavingsReport => recall.savings.report(name),
  })
}
