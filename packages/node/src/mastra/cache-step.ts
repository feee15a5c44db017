import { checkFunction, checkFunctions, checkObject, checkText } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import { chosen } from '../fields.js'
import type { KeyParts } from '../key.js'
import { checkKeeping, type KeepingOptions } from '../options.js'
import type { Cost } from '../price.js'
import { Recall } from '../recall.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { versionFor } from '../version.js'
import { guardedParams, readsOf, Stopped } from './guarded-params.js'
import type { StepParams } from './step-params.js'
import { yesOrNo } from '../yes-or-no.js'

/** A step of a Mastra workflow: whatever has an id and `execute`. */
interface StepLike {
  readonly id: string
  // The types of a step's parameters hang on its schemas, and nothing else fits them all.
  // oxlint-disable-next-line typescript/no-explicit-any
  execute(params: any): Promise<any>
}

type ParamsOf<S extends StepLike> = Parameters<S['execute']>[0]
type OutputOf<S extends StepLike> = Awaited<ReturnType<S['execute']>>

/** Options of {@link cacheStep}. */
export interface CacheStepOptions<P, O> extends Omit<KeepingOptions, 'store' | 'cost' | 'stream'> {
  /** Whom an answer belongs to. Required; such as `({ resourceId }) => ({ resource: resourceId })`. */
  readonly scope: ScopeOrGlobal | ((params: P) => ScopeOrGlobal)
  /** What makes the key. Default: the input and the state. A step with a key of its own may read other steps' results. */
  readonly key?: ((params: P) => unknown) | undefined
  /** Names in the request's context that belong to the key. The step can read no others. */
  readonly reads?: readonly string[] | undefined
  /** Change it with the step's code. Not `'source'`: Mastra wraps the function, and its text is not to be had. Default: `'0'`. */
  readonly version?: string | undefined
  readonly when?: ((params: P) => boolean) | undefined
  readonly control?: ((params: P) => CacheControl | undefined) | undefined
  /** Whether an output is worth keeping. Asked before it is written and again after it was read. */
  readonly store?: ((output: O) => boolean) | undefined
  readonly cost?: ((output: O) => Cost | undefined) | undefined
  readonly tags?: ((output: O, params: P) => readonly string[]) | undefined
}

/**
 * The same step, that remembers: those who ask for the same at once share one run. What it wrote with `setState` and
 * to `writer` is done again on a hit. A step that suspends, bails or aborts is not stored, and one that is resumed
 * runs uncached. What the step throws is thrown as it is.
 */
export function cacheStep<S extends StepLike>(
  step: S,
  options: CacheStepOptions<ParamsOf<S>, OutputOf<S>>,
): S {
  type O = OutputOf<S>
  checkObject(step, 'step')
  checkText(step.id, 'step.id')
  checkFunction(step.execute, 'step.execute')
  const own = ['scope', 'key', 'reads', 'version', 'when', 'control', 'tags']
  checkKeeping(options as unknown as KeepingOptions, own, 'cacheStep')
  checkFunctions(options, ['key', 'when', 'control', 'tags'])
  const { scope, key, reads = [], version, when, control, store, cost, tags } = options
  if (typeof scope !== 'function') checkScope(scope)
  const recall = new Recall({
    ...options,
    store: store && ((result) => result.success && store(result.output as O)),
    cost: cost && ((result) => (result.success ? cost(result.output as O) : undefined)),
  })
  if (version === 'source') throw new TypeError("version cannot be 'source': Mastra hides the text of a step")
  const made = versionFor(step.execute, version)
  const partsOf = (params: StepParams): KeyParts => ({
    node: step.id,
    type: 'mastra',
    version: made,
    config: params.workflowId,
    scope: checkScope(typeof scope === 'function' ? scope(params) : scope),
    input: key === undefined ? [params.inputData, params.state] : chosen(key(params)),
    reads: readsOf(params, reads),
  })
  const execute = async (params: StepParams): Promise<unknown> => {
    const emit = (chunk: unknown): void => {
      const [how, data] = chunk as ['write' | 'custom', unknown]
      void params.writer?.[how]?.(data)?.catch(() => {})
    }
    let ran = false
    try {
      const { result, effects } = await recall.answer({
        nodeId: step.id,
        parts: () => partsOf(params),
        wanted: params.resumeData === undefined && (when === undefined || yesOrNo(when(params), 'when')),
        control: checkControl(control?.(params)),
        signal: params.abortSignal,
        tags: tags && ((kept) => (kept.success ? tags(kept.output as O, params) : [])),
        run: async (task) => {
          ran = true
          const ownKey = key !== undefined
          const guarded = guardedParams(params, { name: step.id, reads, ownKey, ...task })
          const output: unknown = await step.execute(guarded.params)
          if (guarded.stopped()) throw new Stopped(output)
          return { result: { success: true, output }, effects: guarded.effects }
        },
        runPlain: async () => {
          ran = true
          return { success: true, output: (await step.execute(params)) as unknown }
        },
        emit,
      })
      if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
      for (const [, state] of effects) await params.setState?.(state)
      return result.output
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      // It stopped the workflow of whoever ran it; those who shared that run ask for themselves.
      return ran ? error.output : step.execute(params)
    }
  }
  return { ...step, execute }
}
