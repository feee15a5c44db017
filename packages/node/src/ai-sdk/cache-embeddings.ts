import { cacheMap, type CacheMapOptions } from '../cache-map.js'
import { NodeCacheError } from '../errors.js'
import { runNode } from '../run-node.js'
import type { ScopeOrGlobal } from '../scope.js'
import { keyOfCall } from './call-key.js'

/** Options of {@link cacheEmbeddings}. */
export interface CacheEmbeddingsOptions extends Pick<
  CacheMapOptions<unknown, unknown, unknown, unknown>,
  | 'cache'
  | 'ttl'
  | 'codecs'
  | 'allowToJSON'
  | 'maxBytes'
  | 'keySecret'
  | 'savings'
  | 'onEvent'
  | 'clock'
  | 'tags'
  | 'version'
> {
  /** Whom embeddings belong to. Required. */
  readonly scope: ScopeOrGlobal
}

/** The middleware: hand it to `wrapEmbeddingModel`. */
export interface CacheEmbeddings<V extends string = string> {
  readonly specificationVersion: V
  // oxlint-disable-next-line typescript/no-explicit-any -- every version of the middleware's type accepts it
  wrapEmbed(call: { readonly params: any; readonly model: any }): Promise<any>
}

/**
 * A cache for embedding models: each value on its own. The model is asked once, for the values that are missing, each
 * of them once. Usage is that of what was asked: 0 where everything was there.
 */
export function cacheEmbeddings<V extends 'v3' | 'v4' = 'v4'>(
  options: CacheEmbeddingsOptions,
): CacheEmbeddings<V> {
  const embed = async (
    params: { values: readonly string[]; abortSignal?: AbortSignal },
    model: {
      provider: string
      modelId: string
      doEmbed(params: object): PromiseLike<Record<string, unknown>>
    },
  ): Promise<unknown> => {
    const { values, ...rest } = params
    let asked: Record<string, unknown> | undefined
    const node = {
      id: `${model.provider}/${model.modelId}`,
      type: 'ai-sdk/embed',
      config: keyOfCall(rest),
      async execute({ input, signal }: { input: readonly string[]; signal: AbortSignal }) {
        asked = await model.doEmbed({ ...params, values: input, abortSignal: signal })
        return { success: true as const, output: asked['embeddings'] as readonly number[][] }
      },
    }
    const cached = cacheMap<readonly string[], string, number[], readonly number[][]>(node, {
      ...options,
      items: (input) => input,
      assemble: (outputs) => outputs,
    })
    const { abortSignal: signal } = params
    const result = await runNode(cached, values, signal === undefined ? {} : { signal })
    if (!result.success)
      throw result.error.cause ?? new NodeCacheError('ERR_CACHE_MISS', result.error.message)
    const hits = { flowCache: { hit: asked === undefined } }
    return {
      warnings: [],
      usage: { tokens: 0 },
      ...asked,
      embeddings: result.output,
      providerMetadata: { ...(asked?.['providerMetadata'] as object | undefined), ...hits },
    }
  }
  return {
    specificationVersion: 'v4' as V,
    wrapEmbed: async ({ params, model }) => embed(params, model),
  }
}
