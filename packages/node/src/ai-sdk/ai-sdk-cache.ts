import { systemClock } from '@flow-cache/core'
import { checkFunction, checkOneOf, checkText } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import { checkKeeping, defaults, type KeepingOptions, type StreamOptions } from '../options.js'
import { type Answer, Recall } from '../recall.js'
import { Savings, type SavingsReport } from '../savings.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { modelRules } from '../stream/rules.js'
import { keyOfCall } from './call-key.js'
import {
  type AnswerRules,
  costOf,
  isWhole,
  type Part,
  partsOf,
  plainResponse,
  renewed,
  renewer,
} from './parts.js'
import { yesOrNo } from '../yes-or-no.js'

/** Options of {@link aiSdkCache}. `P` is the type of the call options of your version. */
export interface AiSdkCacheOptions<P = Record<string, unknown>>
  extends Omit<KeepingOptions, 'store' | 'cost' | 'stream'>, AnswerRules {
  /** Whom answers belong to. Required: `'global'`, an object, or a function of the call's options. */
  readonly scope: ScopeOrGlobal | ((params: P) => ScopeOrGlobal)
  /** Changes when old answers are to be forgotten. Default: `'0'`. */
  readonly version?: string | undefined
  /** Headers that belong to the key. Default: none. */
  readonly includeHeaders?: readonly string[] | undefined
  /** Whether the cache has a part in a call. Default: always. */
  readonly when?: ((params: P) => boolean) | undefined
  /** How a call uses the cache. Default: as usual. */
  readonly control?: CacheControl | ((params: P) => CacheControl) | undefined
  /** Labels to invalidate by. Default: none. */
  readonly tags?: readonly string[] | ((params: P) => readonly string[]) | undefined
  readonly stream?: Omit<StreamOptions, 'rules'> | undefined
}

interface Model {
  readonly provider: string
  readonly modelId: string
}

/** The middleware: hand it to `wrapLanguageModel`. */
export interface AiSdkCache<V extends string = string> {
  readonly specificationVersion: V
  // oxlint-disable-next-line typescript/no-explicit-any -- six versions of the middleware's type accept it
  wrapGenerate(call: { readonly params: any; readonly model: any }): Promise<any>
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  wrapStream(call: { readonly params: any; readonly model: any }): Promise<any>
  readonly savings: Savings
  /** What was saved, by all models that this middleware wraps. */
  report(): SavingsReport
}

const own = ['scope', 'version', 'includeHeaders', 'when', 'control', 'tags', 'finish', 'toolCalls']

/**
 * A cache for the language models of the AI SDK, versions 5, 6 and 7. Callers who ask for the same at once share one
 * request, its stream included; the request is aborted when the last of them has gone. Failures, and answers that are
 * not whole, are not kept. On a hit usage is 0, and `providerMetadata.flowCache` says what was saved.
 */
export function aiSdkCache<V extends 'v2' | 'v3' | 'v4' = 'v4', P = Record<string, unknown>>(
  options: AiSdkCacheOptions<P>,
): AiSdkCache<V> {
  checkKeeping(options, own, 'aiSdkCache')
  const { scope, version, includeHeaders, when, control, tags, clock = systemClock } = options
  if (typeof scope !== 'function') checkScope(scope)
  if (version !== undefined) checkText(version, 'version')
  if (when !== undefined) checkFunction(when, 'when')
  checkOneOf(options.toolCalls, ['skip', 'cache'], 'toolCalls')
  if (typeof control !== 'function') checkControl(control)
  const whole = (parts: readonly unknown[]): boolean => isWhole(parts, options)
  const now = (): number => clock.now()

  const savings = options.savings ?? new Savings()
  const recalls = new Map<string, Recall>()
  // One for each model: prices go by its name.
  const recallOf = ({ provider, modelId }: Model): Recall => {
    const name = `${provider}/${modelId}`
    const known = recalls.get(name)
    if (known !== undefined) return known
    const recall = new Recall({
      ...options,
      savings,
      stream: { ...options.stream, rules: { keep: modelRules().keep, isWhole: whole } },
      store: (result) => result.success && whole(partsOf(result.output)),
      cost: (result, chunks) =>
        result.success ? costOf(chunks.length > 0 ? chunks : partsOf(result.output), modelId) : undefined,
    })
    recalls.set(name, recall)
    return recall
  }

  const ask = async (
    type: 'generate' | 'stream',
    params: P & { abortSignal?: AbortSignal },
    model: Model,
    run: (signal: AbortSignal | undefined) => Promise<unknown>,
  ): Promise<Answer> => {
    const answer = await recallOf(model).answer({
      nodeId: `${model.provider}/${model.modelId}`,
      parts: () => ({
        node: `${model.provider}/${model.modelId}`,
        type: `ai-sdk/${type}`,
        version: version ?? defaults.version,
        config: { provider: model.provider, model: model.modelId },
        scope: checkScope(typeof scope === 'function' ? scope(params) : scope),
        input: keyOfCall(params, includeHeaders),
        reads: {},
      }),
      wanted: when === undefined || yesOrNo(when(params), 'when'),
      control: checkControl(typeof control === 'function' ? control(params) : control),
      signal: params.abortSignal,
      tags: tags && (() => (typeof tags === 'function' ? tags(params) : tags)),
      run: async ({ signal }) => ({ result: { success: true, output: await run(signal) }, effects: [] }),
      runPlain: async () => ({ success: true, output: await run(params.abortSignal) }),
      emit: () => {},
    })
    if (!answer.result.success) throw new NodeCacheError('ERR_CACHE_MISS', answer.result.error.message)
    return answer
  }

  return {
    specificationVersion: 'v4' as V,
    savings,
    report: () => savings.report(),
    async wrapGenerate({ params, model }) {
      // What only the caller who really asked gets: the request, and the provider's headers.
      let full: Record<string, unknown> | undefined
      const { result, info } = await ask('generate', params, model, async (abortSignal) => {
        full = (await model.doGenerate({ ...params, abortSignal })) as Record<string, unknown>
        return plainResponse(full)
      })
      if (!result.success) return undefined
      const output = renewed(result.output as Record<string, unknown>, info, now)
      return full === undefined ? output : { ...full, ...output, response: full['response'] }
    },
    async wrapStream({ params, model }) {
      let full: Record<string, unknown> | undefined
      const { result, info } = await ask('stream', params, model, async (abortSignal) => {
        full = (await model.doStream({ ...params, abortSignal })) as Record<string, unknown>
        return full['stream']
      })
      if (!result.success) return undefined
      const renew = renewer(info, now)
      const stream = (result.output as ReadableStream<Part>).pipeThrough(
        new TransformStream<Part, Part>({
          transform: (part, controller) => controller.enqueue(renew(part)),
        }),
      )
      return { ...full, stream }
    },
  }
}
