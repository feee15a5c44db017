/* oxlint-disable no-underscore-dangle -- LangChain names so what a model of its own overrides. */
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { BaseMessage } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs'
import { Runnable } from '@langchain/core/runnables'
import type { CacheInfo } from '../cache-info.js'
import { checkText, wrong } from '../checks.js'
import { type CacheControl, checkControl } from '../control.js'
import { NodeCacheError } from '../errors.js'
import type { KeyParts } from '../key.js'
import { checkKeeping, defaults, type KeepingOptions, type StreamOptions } from '../options.js'
import { toPlain } from '../plain.js'
import { Recall } from '../recall.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import {
  type AnswerRules,
  costOf,
  isWhole,
  made,
  plainOf,
  type PlainGeneration,
  replayer,
} from './generations.js'
import { checkRules } from './llm-cache.js'
import { conversation, messageShapes } from './messages.js'

/** Options of {@link cachedModel}. */
export interface CachedModelOptions extends Omit<KeepingOptions, 'store' | 'cost' | 'stream'>, AnswerRules {
  /** Whom answers belong to. Required: `'global'`, or an object; wrap the model for each tenant, it is cheap. */
  readonly scope: ScopeOrGlobal
  /** Names the model in keys and reports. Default: its type, such as `openai`. */
  readonly name?: string | undefined
  /** Changes when old answers are to be forgotten. Default: `'0'`. */
  readonly version?: string | undefined
  /** How calls use the cache. Default: as usual. */
  readonly control?: CacheControl | undefined
  readonly stream?: Omit<StreamOptions, 'rules'> | undefined
}

/** Call options that say how a call is made and followed, not what is asked. All others are in the key. */
export const transportOptions: readonly string[] = Object.freeze([
  'signal',
  'timeout',
  'callbacks',
  'tags',
  'metadata',
  'runName',
  'runId',
  'maxConcurrency',
  'recursionLimit',
  'configurable',
  'store',
  'maxRetries',
  'promptIndex',
  'ls_structured_output_format',
])

type CallOptions = Record<string, unknown> & { signal?: AbortSignal }

/** What of a chat model the wrapper calls. */
interface Inner {
  _generate(
    messages: BaseMessage[],
    options: object,
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult>
  _streamResponseChunks(messages: BaseMessage[], options: object): AsyncIterable<ChatGenerationChunk>
  _streamChatModelEvents: unknown
  _llmType(): string
  _identifyingParams?(): object
  invocationParams?(options: object): unknown
  withConfig(config: object): unknown
  readonly defaultOptions?: object
}

/**
 * The same chat model, that remembers: `invoke`, `stream`, `batch`, `bindTools` and `withStructuredOutput` as before.
 * Callers who ask for the same at once share one request, its stream included. The key has every message with its
 * structure, every parameter of the model and every option of the call but `transportOptions`. Usage is 0 on a hit,
 * and `response_metadata.flowCache` says what was saved. What the model throws is thrown as it is.
 *
 * Calls that continue a conversation kept by the provider (`previous_response_id`) are not cached.
 */
export function cachedModel<M extends BaseChatModel>(model: M, options: CachedModelOptions): M {
  if (!(model instanceof BaseChatModel)) wrong('model', 'a chat model of @langchain/core', model)
  const own = ['scope', 'name', 'version', 'control', 'finish', 'toolCalls']
  checkKeeping(options, own, 'cachedModel')
  checkScope(options.scope)
  checkRules(options)
  checkControl(options.control)
  for (const name of ['name', 'version'] as const)
    if (options[name] !== undefined) checkText(options[name], name)
  const recallOf = (ended: boolean): Recall => {
    const whole = (parts: unknown): boolean => isWhole(parts as PlainGeneration[], options, ended)
    return new Recall({
      ...options,
      stream: { ...options.stream, rules: { keep: () => true, isWhole: whole } },
      store: (result) => result.success && (!ended || whole(generationsOf(result.output))),
      cost: (result, chunks) =>
        costOf(
          (ended ? generationsOf(result.success && result.output) : chunks) as PlainGeneration[],
          nameOf(model),
        ),
    })
  }
  return wrap(model, options, { generate: recallOf(true), stream: recallOf(false) })
}

interface Recalls {
  readonly generate: Recall
  readonly stream: Recall
}

function wrap<M extends BaseChatModel>(model: M, options: CachedModelOptions, recalls: Recalls): M {
  const inner = model as unknown as Inner
  const nodeId = options.name ?? inner._llmType()
  const partsOf = (type: string, messages: BaseMessage[], call: CallOptions): KeyParts => ({
    node: nodeId,
    type,
    version: options.version ?? defaults.version,
    config: identityOf(model),
    scope: options.scope,
    input: toPlain(conversation(messages), messageShapes),
    reads: { options: asked(call), params: text(inner.invocationParams?.(call)) },
  })
  const callOf = (type: string, messages: BaseMessage[], call: CallOptions) => ({
    nodeId,
    parts: () => partsOf(type, messages, call),
    wanted: !('previous_response_id' in call && call['previous_response_id'] !== undefined),
    control: options.control ?? {},
    signal: call.signal,
    emit: () => {},
  })
  const wrapper = Object.create(model) as M
  const own = {
    async _generate(messages: BaseMessage[], call: CallOptions, manager?: CallbackManagerForLLMRun) {
      const run = async (signal: AbortSignal): Promise<unknown> => {
        const { generations, llmOutput } = await inner._generate(messages, { ...call, signal })
        return { generations: generations.map(plainOf), llmOutput: text(llmOutput) }
      }
      const { result, info } = await recalls.generate.answer({
        ...callOf('langchain.generate', messages, call),
        run: async ({ signal }) => ({ result: { success: true, output: await run(signal) }, effects: [] }),
        runPlain: async ({ signal }) => ({ success: true, output: await run(signal) }),
      })
      if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
      const give = isOwn(info) ? made : replayer()
      const generations = generationsOf(result.output).map(give) as ChatResult['generations']
      const { llmOutput } = result.output as { llmOutput?: string }
      if (!isOwn(info)) await manager?.handleLLMNewToken(generations[0]?.text ?? '')
      return {
        generations,
        ...(isOwn(info) && llmOutput !== undefined && { llmOutput: JSON.parse(llmOutput) as object }),
      }
    },
    async *_streamResponseChunks(
      messages: BaseMessage[],
      call: CallOptions,
      manager?: CallbackManagerForLLMRun,
    ) {
      const run = (signal: AbortSignal): AsyncIterable<PlainGeneration> =>
        mapped(inner._streamResponseChunks(messages, { ...call, signal }), plainOf)
      const { result, info } = await recalls.stream.answer({
        ...callOf('langchain.stream', messages, call),
        run: async ({ signal }) => ({ result: { success: true, output: run(signal) }, effects: [] }),
        runPlain: async ({ signal }) => ({ success: true, output: run(signal) }),
      })
      if (!result.success) throw new NodeCacheError('ERR_CACHE_MISS', result.error.message)
      const give = isOwn(info) ? made : replayer()
      for await (const plain of result.output as AsyncIterable<PlainGeneration>) {
        const chunk = new ChatGenerationChunk(give(plain) as never)
        yield chunk
        await manager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk })
      }
    },
    _streamChatModelEvents: BaseChatModel.prototype._streamChatModelEvents,
    withConfig(config: object): unknown {
      const bound = inner.withConfig(config)
      return bound instanceof BaseChatModel
        ? wrap(bound, options, recalls)
        : Runnable.prototype.withConfig.call(wrapper, config)
    },
  }
  if (inner._streamResponseChunks === BaseChatModel.prototype._streamResponseChunks)
    own._streamResponseChunks = inner._streamResponseChunks as never
  for (const [name, value] of Object.entries(own)) Object.defineProperty(wrapper, name, { value })
  return wrapper
}

const generationsOf = (output: unknown): readonly PlainGeneration[] =>
  (output as { generations?: readonly PlainGeneration[] } | undefined)?.generations ?? []

/** Whether the caller's own request made the answer: what it cost is told as it was. */
const isOwn = ({ status }: CacheInfo): boolean => ['miss', 'refresh', 'bypass'].includes(status)

/** What tells one model from another: all it was set up with. Secrets stand in it by name alone. */
function identityOf(model: BaseChatModel): unknown {
  const inner = model as unknown as Inner
  const { defaultOptions } = inner
  return [
    inner._llmType(),
    text(inner._identifyingParams?.()),
    text(model.toJSON()),
    defaultOptions === undefined ? undefined : asked(defaultOptions as CallOptions),
  ]
}

function asked(call: CallOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(call).filter(([name]) => !transportOptions.includes(name)))
}

const text = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value))

const nameOf = (model: BaseChatModel): string | undefined => (model as { model?: string }).model

async function* mapped<A, B>(source: AsyncIterable<A>, to: (each: A) => B): AsyncIterable<B> {
  for await (const each of source) yield to(each)
}
