import { randomId } from '@flow-cache/core'
import { fromPlain, replaced, toPlain } from '../plain.js'
import type { Cost } from '../price.js'
import { messageShapes } from './messages.js'

/** One answer of a model, or a chunk of one: LangChain's generations in their plain form. */
export interface PlainGeneration {
  readonly text: string
  readonly generationInfo?: Readonly<Record<string, unknown>> | undefined
  /** A message, written by `toPlain`; absent where the model answers with text alone. */
  readonly message?: { readonly fields: Fields } | undefined
}

interface Fields {
  readonly tool_calls?: readonly { readonly id?: string }[]
  readonly tool_call_chunks?: readonly { readonly id?: string }[]
  readonly usage_metadata?: {
    readonly input_tokens?: number
    readonly output_tokens?: number
    readonly input_token_details?: { readonly cache_read?: number; readonly cache_creation?: number }
  }
  readonly response_metadata?: Readonly<Record<string, unknown>>
}

/** Which answers of a model are kept. */
export interface AnswerRules {
  /**
   * Reasons to have ended with which an answer is kept, as the provider writes them. One that was cut short, filtered
   * or failed has another. Default: `stop`, `STOP`, `end_turn`, `stop_sequence`, `completed`.
   */
  readonly finish?: readonly string[] | undefined
  /**
   * Answers that call tools.
   *
   * - `'skip'` (default): not kept.
   * - `'cache'`: kept; each hit gets ids of its own.
   */
  readonly toolCalls?: 'skip' | 'cache' | undefined
}

const goodEnds = ['stop', 'STOP', 'end_turn', 'stop_sequence', 'completed']
const toolEnds = new Set<string>(['tool_calls', 'tool_use', 'function_call'])
const names = ['finish_reason', 'finishReason', 'stop_reason', 'done_reason', 'status']

/** Whether these chunks, or this one generation, are an answer worth keeping. */
export function isWhole(parts: readonly PlainGeneration[], rules: AnswerRules, ended: boolean): boolean {
  const { finish = goodEnds, toolCalls = 'skip' } = rules
  const calls = parts.some(({ message }) => callsOf(message?.fields).length > 0)
  if (calls && toolCalls !== 'cache') return false
  const reason = parts.map(reasonOf).findLast((each) => each !== undefined)
  if (reason === undefined) return ended
  return finish.includes(reason) || (toolCalls === 'cache' && toolEnds.has(reason))
}

const callsOf = (fields: Fields | undefined): readonly { readonly id?: string }[] => [
  ...(fields?.tool_calls ?? []),
  ...(fields?.tool_call_chunks ?? []),
]

function reasonOf({ generationInfo, message }: PlainGeneration): string | undefined {
  const told: Readonly<Record<string, unknown>> = { ...message?.fields.response_metadata, ...generationInfo }
  const reason = names.map((name) => told[name]).find((each) => typeof each === 'string' && each !== '')
  return reason as string | undefined
}

/** The generation as plain data, without what a provider says of the request and of itself. */
export function plainOf(generation: object): PlainGeneration {
  const { text, generationInfo, message } = generation as {
    text: string
    generationInfo?: object
    message?: object
  }
  const plain = toPlain({ text, generationInfo, message }, messageShapes) as PlainGeneration
  return withoutReports(plain)
}

/** What may hold limits, addresses or ids of one request. */
const secret = new Set<string>(['headers', 'request', 'request_id', 'rateLimits', 'body'])

function withoutReports(plain: PlainGeneration): PlainGeneration {
  const clean = (told: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(told).filter(([name]) => !secret.has(name)))
  const { generationInfo, message } = plain
  const told = message?.fields.response_metadata
  return {
    ...plain,
    ...(generationInfo && { generationInfo: clean(generationInfo) }),
    ...(message &&
      told && { message: { ...message, fields: { ...message.fields, response_metadata: clean(told) } } }),
  }
}

/** What was billed for the answer. */
export function costOf(parts: readonly PlainGeneration[], model: string | undefined): Cost | undefined {
  let [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = [0, 0, 0, 0]
  for (const { message } of parts) {
    const usage = message?.fields.usage_metadata
    inputTokens += usage?.input_tokens ?? 0
    outputTokens += usage?.output_tokens ?? 0
    cacheReadTokens += usage?.input_token_details?.cache_read ?? 0
    cacheWriteTokens += usage?.input_token_details?.cache_creation ?? 0
  }
  return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, model }
}

/** What an answer from the cache says of itself, in `response_metadata.flowCache`. */
export interface FlowCacheNote {
  readonly hit: true
  readonly savedInputTokens: number
  readonly savedOutputTokens: number
}

const usageNames = new Set<string>([
  'usage',
  'tokenUsage',
  'estimatedTokenUsage',
  'id',
  'created',
  'created_at',
])

/**
 * Makes plain generations of one answer anew for somebody who did not pay for them: usage is 0, what was saved is
 * told, and the ids of the message and of
 * tool calls are new ones, the same throughout the answer.
 */
export function replayer(): (plain: PlainGeneration) => Generated {
  const ids = new Map<string, string>()
  const id = `run-${randomId()}`
  return (plain) => {
    const { message } = plain
    for (const call of callsOf(message?.fields))
      if (call.id !== undefined && call.id !== '' && !ids.has(call.id)) ids.set(call.id, `call_${randomId()}`)
    if (message === undefined) return made(plain)
    const { usage_metadata: usage, response_metadata, ...rest } = message.fields
    const note: FlowCacheNote = {
      hit: true,
      savedInputTokens: usage?.input_tokens ?? 0,
      savedOutputTokens: usage?.output_tokens ?? 0,
    }
    const told = Object.entries(response_metadata ?? {}).filter(([name]) => !usageNames.has(name))
    const fields = {
      ...(replaced(rest, ids) as object),
      id,
      response_metadata: {
        ...Object.fromEntries(told),
        ...((usage !== undefined || told.length > 0) && { flowCache: note }),
      },
      ...(usage !== undefined && { usage_metadata: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } }),
    }
    const info = Object.entries(plain.generationInfo ?? {}).filter(([name]) => !usageNames.has(name))
    return made({
      ...plain,
      generationInfo: Object.fromEntries(info),
      message: { ...message, fields },
    })
  }
}

/** A generation with its message as an instance. */
export interface Generated {
  readonly text: string
  readonly generationInfo?: Record<string, unknown>
  readonly message?: object
}

/** The generation that {@link plainOf} wrote, as it was. */
export function made(plain: PlainGeneration): Generated {
  return fromPlain(plain, messageShapes) as Generated
}
