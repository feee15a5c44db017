import { randomId } from '@flow-cache/core'
import type { GenerateRequest, GenerateResponseData, ModelMiddlewareWithOptions } from 'genkit/model'
import { checkOneOf, checkText, wrong } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import { checkKeeping, defaults, type KeepingOptions } from '../options.js'
import { replaced, toPlain } from '../plain.js'
import { Recall } from '../recall.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'

/** Options of {@link cacheModel}. */
export interface CacheModelOptions extends Omit<KeepingOptions, 'store' | 'cost' | 'stream'> {
  /** Names the model in keys and for `pricing`. Required: Genkit does not tell a middleware which model it stands before. */
  readonly model: string
  /** Whom answers belong to. Required; such as `() => ({ user: ai.currentContext()?.auth?.uid })`. */
  readonly scope: ScopeOrGlobal | ((request: GenerateRequest) => ScopeOrGlobal)
  /** Changes when old answers are to be forgotten. Default: `'0'`. */
  readonly version?: string | undefined
  /** Reasons to have ended with which an answer is kept. Default: `stop`. */
  readonly finish?: readonly string[] | undefined
  /** Answers that call tools: `'skip'` (default), or `'cache'`, and each hit gets refs of its own. */
  readonly toolCalls?: 'skip' | 'cache' | undefined
  /** How calls use the cache. Default: as usual. */
  readonly control?: CacheControl | undefined
}

/**
 * A middleware that remembers what a model answered: `ai.generate({ model, prompt, use: [cacheModel(…)] })`. Callers
 * who ask for the same at once share one request; the chunks of a stream are told to all of them, and again on a hit.
 * Usage is 0 on a hit, and `custom.flowCache` says what was saved. What the model throws is thrown as it is.
 */
export function cacheModel(options: CacheModelOptions): ModelMiddlewareWithOptions {
  const own = ['model', 'scope', 'version', 'finish', 'toolCalls', 'control']
  checkKeeping(options, own, 'cacheModel')
  checkControl(options.control)
  checkText(options.model, 'model')
  const { model, scope, version, finish = ['stop'], toolCalls = 'skip', control } = options
  if (typeof scope !== 'function') checkScope(scope)
  if (!Array.isArray(finish)) wrong('finish', 'a list of reasons', finish)
  checkOneOf(toolCalls, ['skip', 'cache'], 'toolCalls')
  const recall = new Recall({
    ...options,
    store: (result) => {
      if (!result.success) return false
      const response = result.output as GenerateResponseData
      if ('operation' in response && response.operation !== undefined) return false
      return refsOf([response.message]).length === 0
        ? finish.includes(reasonOf(response))
        : toolCalls === 'cache'
    },
    cost: (result) => {
      const { usage } = (result.success ? result.output : {}) as GenerateResponseData
      return { inputTokens: usage?.inputTokens, outputTokens: usage?.outputTokens, model }
    },
  })
  // Three parameters: Genkit gives the options of a call to a middleware that takes as many.
  return async (request, call, next) => {
    const { onChunk, abortSignal } = (call ?? {}) as CallOptions
    const streams = onChunk !== undefined
    const { result, info } = await recall.answer({
      nodeId: model,
      parts: () => ({
        node: model,
        type: 'genkit',
        version: version ?? defaults.version,
        config: undefined,
        scope: checkScope(typeof scope === 'function' ? scope(request) : scope),
        input: asked(request),
        reads: { streams },
      }),
      wanted: true,
      control: control ?? {},
      signal: abortSignal,
      run: async ({ signal, emit }) => {
        const told = { onChunk: (chunk: unknown) => emit(plainOf(chunk)) }
        const response = await next(request, { ...call, abortSignal: signal, ...(streams && told) })
        return { result: { success: true, output: kept(response) }, effects: [] }
      },
      runPlain: async () => ({ success: true, output: await next(request, call) }),
      emit: (chunk) => onChunk?.(chunk),
    })
    if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
    const response = result.output as GenerateResponseData
    return ['miss', 'refresh', 'bypass'].includes(info.status) ? response : replay(response)
  }
}

/** What Genkit says of a call, as far as the cache looks at it. */
interface CallOptions {
  readonly onChunk?: (chunk: unknown) => void
  readonly abortSignal?: AbortSignal
}

/** Chunks and parts may be instances that know how to be plain. */
const plainOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

const reasonOf = (response: GenerateResponseData): string =>
  response.finishReason ?? response.candidates?.[0]?.finishReason ?? ''

type Message = {
  readonly content: readonly { readonly toolRequest?: { readonly ref?: string | undefined } | undefined }[]
}

function refsOf(messages: readonly (Message | undefined)[]): string[] {
  return messages.flatMap((message) =>
    (message?.content ?? []).flatMap(({ toolRequest }) => (toolRequest ? [toolRequest.ref ?? ''] : [])),
  )
}

/** What is asked; refs of tool requests are counted, so that conversations that differ only in those are one. */
function asked(request: GenerateRequest): unknown {
  const refs = refsOf(request.messages as readonly Message[]).filter((ref) => ref !== '')
  return replaced(toPlain(request, []), new Map(refs.map((ref, i) => [ref, { ref: i }])))
}

/** The answer without the request, and without what came over the wire: both can hold secrets. */
function kept(response: GenerateResponseData): unknown {
  const told = Object.entries(response).filter(([name]) => name !== 'request' && name !== 'raw')
  return plainOf(Object.fromEntries(told))
}

/** The answer for somebody who did not pay for it. */
function replay(response: GenerateResponseData): GenerateResponseData {
  const { usage, custom } = response
  const refs = new Map(
    refsOf([response.message])
      .filter((ref) => ref !== '')
      .map((ref) => [ref, `call_${randomId()}`]),
  )
  return {
    ...(replaced(response, refs) as GenerateResponseData),
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    custom: {
      ...(custom as object | undefined),
      flowCache: {
        hit: true,
        savedInputTokens: usage?.inputTokens ?? 0,
        savedOutputTokens: usage?.outputTokens ?? 0,
      },
    },
  }
}
