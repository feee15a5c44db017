import type { Model, ModelProvider, ModelRequest, ModelResponse, StreamEvent } from '@openai/agents-core'
import { checkFunction, checkObject, checkOneOf, checkText } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import { checkKeeping, defaults, type KeepingOptions, type StreamOptions } from '../options.js'
import { type Answer, Recall } from '../recall.js'
import { Savings } from '../savings.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { modelRules } from '../stream/rules.js'
import { keyOfRequest } from './request-key.js'
import { callsTools, costOf, type End, eventOf, plainOf, reasonOf, responseOf } from './responses.js'
import { yesOrNo } from '../yes-or-no.js'

/** Options of {@link cachedModel} and {@link cachedModelProvider}. */
export interface AgentsCacheOptions extends Omit<KeepingOptions, 'store' | 'cost' | 'stream'> {
  /** Names the model in keys and reports; with a provider, the names of its models follow it. */
  readonly name: string
  /** Whom answers belong to. Required: `'global'`, an object, or a function of the request. */
  readonly scope: ScopeOrGlobal | ((request: ModelRequest) => ScopeOrGlobal)
  /** Changes when old answers are to be forgotten. Default: `'0'`. */
  readonly version?: string | undefined
  /** Whether the cache has a part in a request. Default: always. */
  readonly when?: ((request: ModelRequest) => boolean) | undefined
  /** How requests use the cache. Default: as usual. */
  readonly control?: CacheControl | ((request: ModelRequest) => CacheControl) | undefined
  /** Answers in which tools or agents are called: `'skip'` (default) or `'cache'`, with new ids on each hit. */
  readonly toolCalls?: 'skip' | 'cache' | undefined
  readonly stream?: Omit<StreamOptions, 'rules'> | undefined
}

const own = ['name', 'scope', 'version', 'when', 'control', 'toolCalls']
const whole = ['stop', 'tool_calls']

/**
 * The same model, that remembers. Callers who ask for the same at once share one request, its stream included.
 * Requests that continue a conversation kept by the provider (`conversationId`, `previousResponseId`) are not cached.
 * On a hit usage is 0, and `providerData.flowCache` says what was saved. What the model throws is thrown as it is.
 */
export function cachedModel(model: Model, options: AgentsCacheOptions): Model {
  checkObject(model, 'model')
  checkFunction(model.getResponse, "the model's getResponse")
  checkKeeping(options, own, 'cachedModel')
  const { name, scope, version, when, control, toolCalls = 'skip' } = options
  checkText(name, 'name')
  if (typeof scope !== 'function') checkScope(scope)
  if (typeof control !== 'function') checkControl(control)
  checkOneOf(toolCalls, ['skip', 'cache'], 'toolCalls')
  const isGood = (output: unknown): boolean => toolCalls === 'cache' || !callsTools(output)
  const doneOf = (events: readonly unknown[]): Record<string, unknown> | undefined =>
    (
      events.findLast((event) => (event as StreamEvent).type === 'response_done') as
        { response?: Record<string, unknown> } | undefined
    )?.response

  const recall = new Recall({
    ...options,
    stream: {
      ...options.stream,
      rules: {
        keep: (event) => (event as StreamEvent).type !== 'model',
        isWhole: (events) => {
          const done = doneOf(events)
          return done !== undefined && isGood(done['output']) && modelRules({ finish: whole }).isWhole(events)
        },
      },
    },
    store: (result) => {
      if (!result.success || Array.isArray(result.output)) return result.success
      const { output, finishReason } = result.output as Record<string, unknown>
      return isGood(output) && whole.includes(finishReason as string)
    },
    cost: (result, events) =>
      result.success
        ? costOf((doneOf(events) ?? (result.output as Record<string, unknown>))['usage'], name)
        : undefined,
  })

  const ask = async (
    type: 'response' | 'stream',
    request: ModelRequest,
    run: (signal: AbortSignal | undefined) => unknown,
  ): Promise<Answer> => {
    const stateful = request.conversationId !== undefined || request.previousResponseId !== undefined
    const answer = await recall.answer({
      nodeId: name,
      parts: () => ({
        node: name,
        type: `openai-agents/${type}`,
        version: version ?? defaults.version,
        config: undefined,
        scope: checkScope(typeof scope === 'function' ? scope(request) : scope),
        input: keyOfRequest(request),
        reads: {},
      }),
      wanted: !stateful && (when === undefined || yesOrNo(when(request), 'when')),
      control: checkControl(typeof control === 'function' ? control(request) : control),
      signal: request.signal,
      run: async ({ signal }) => ({ result: { success: true, output: await run(signal) }, effects: [] }),
      runPlain: async () => ({ success: true, output: await run(request.signal) }),
      emit: () => {},
    })
    if (!answer.result.success) throw new NodeCacheError('ERR_CACHE_MISS', answer.result.error.message)
    return answer
  }

  async function* ended(request: ModelRequest): AsyncGenerator<StreamEvent | End> {
    let reason: string | undefined
    for await (const event of model.getStreamedResponse(request)) {
      if (event.type === 'model') reason = reasonOf(event.event) ?? reason
      yield event
    }
    yield { type: 'finish', finishReason: reason ?? 'stop' }
  }

  return {
    ...(model.supportsPromptModelSelection !== undefined && {
      supportsPromptModelSelection: model.supportsPromptModelSelection,
    }),
    ...(model.getRetryAdvice !== undefined && {
      getRetryAdvice: (args) => model.getRetryAdvice?.(args),
    }),
    async getResponse(request): Promise<ModelResponse> {
      let full: ModelResponse | undefined
      const { result } = await ask('response', request, async (signal) => {
        full = await model.getResponse(withSignal(request, signal))
        return { ...plainOf(full), finishReason: reasonOf(full.providerData) ?? 'stop' }
      })
      return full ?? responseOf((result as { output: Record<string, unknown> }).output)
    },
    async *getStreamedResponse(request): AsyncGenerator<StreamEvent> {
      let mine = false
      const { result } = await ask('stream', request, (signal) => {
        mine = true
        return ended(withSignal(request, signal))
      })
      for await (const event of (result as { output: AsyncIterable<StreamEvent | End> }).output)
        if (event.type !== 'finish') yield (mine ? event : eventOf(event)) as StreamEvent
    },
  }
}

/** The same provider, all of whose models remember. */
export function cachedModelProvider(provider: ModelProvider, options: AgentsCacheOptions): ModelProvider {
  checkObject(provider, 'provider')
  checkFunction(provider.getModel, "the provider's getModel")
  const savings = options.savings ?? new Savings()
  return {
    getModel: async (modelName) =>
      cachedModel(await provider.getModel(modelName), {
        ...options,
        savings,
        name: `${options.name}/${modelName ?? 'default'}`,
      }),
  }
}

function withSignal(request: ModelRequest, signal: AbortSignal | undefined): ModelRequest {
  const { signal: _, ...rest } = request
  return signal === undefined ? rest : { ...rest, signal }
}
