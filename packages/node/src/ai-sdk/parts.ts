import { randomId } from '@flow-cache/core'
import type { CacheInfo } from '../cache-info.js'
import type { Cost } from '../price.js'
import { modelRules } from '../stream/rules.js'

/** A part of an answer, of any version of the specification. */
export type Part = Readonly<Record<string, unknown>> & { readonly type?: unknown }

/** Which answers are kept. */
export interface AnswerRules {
  /** The reasons to finish with which an answer is kept. Default: `['stop']`. */
  readonly finish?: readonly string[] | undefined
  /**
   * Answers in which tools are called.
   *
   * - `'skip'` (default): not kept.
   * - `'cache'`: kept; every hit has ids of its own for the calls.
   */
  readonly toolCalls?: 'skip' | 'cache' | undefined
}

/** Whether the parts of a stream, or the content of an answer with its reason, are a whole answer to keep. */
export function isWhole(parts: readonly unknown[], rules: AnswerRules): boolean {
  const { finish = ['stop'], toolCalls = 'skip' } = rules
  const reasons = toolCalls === 'cache' ? [...finish, 'tool-calls'] : finish
  if (!modelRules({ finish: reasons }).isWhole(parts)) return false
  return !parts.some((part) => {
    const type = String((part as Part).type)
    return type === 'tool-approval-request' || (toolCalls === 'skip' && type.startsWith('tool-'))
  })
}

/** The parts that `isWhole` judges, of an answer that came in one piece. */
export const partsOf = (output: unknown): readonly unknown[] => {
  if (Array.isArray(output)) return output
  const { content, finishReason, usage } = output as Record<string, unknown>
  return [...(Array.isArray(content) ? content : []), { type: 'finish', finishReason, usage }]
}

const total = (value: unknown): number => {
  if (typeof value === 'number') return value
  const all = (value as { total?: unknown } | null | undefined)?.total
  return typeof all === 'number' ? all : 0
}

/** Tokens as they were billed, from a usage of any version. */
export function costOf(parts: readonly unknown[], model: string): Required<Omit<Cost, 'usd'>> {
  const end = parts.findLast((part) => (part as Part).type === 'finish') as Part | undefined
  const { inputTokens, outputTokens, cachedInputTokens } = (end?.['usage'] ?? {}) as Record<string, unknown>
  const details = (typeof inputTokens === 'object' ? inputTokens : {}) as Record<string, unknown> | null
  return {
    inputTokens: total(inputTokens),
    outputTokens: total(outputTokens),
    cacheReadTokens: total(details?.['cacheRead'] ?? cachedInputTokens),
    cacheWriteTokens: total(details?.['cacheWrite']),
    model,
  }
}

/** The same usage with nothing used, and without the provider's own words. */
function unused(usage: unknown): unknown {
  if (typeof usage === 'number') return 0
  if (typeof usage !== 'object' || usage === null) return usage
  const parts = Object.entries(usage).filter(([name]) => name !== 'raw')
  return Object.fromEntries(parts.map(([name, value]) => [name, unused(value)]))
}

/** Without what may hold secrets, or is about one request only. */
export function plainResponse(output: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { request: _, response, ...rest } = output
  const { modelId } = (response ?? {}) as Record<string, unknown>
  return { ...rest, ...(modelId !== undefined && { response: { modelId } }) }
}

/** What an answer says of the cache, in `providerMetadata.flowCache`. */
function noteOf(info: CacheInfo, parts: readonly unknown[]): Record<string, unknown> {
  const hit = isHit(info)
  const { inputTokens, outputTokens } = costOf(parts, '')
  return {
    hit,
    status: info.status,
    ...(info.reason !== undefined && { reason: info.reason }),
    ...(hit && { savedInputTokens: inputTokens, savedOutputTokens: outputTokens }),
  }
}

/** Whether nothing was asked of the provider for it. */
const isHit = ({ status }: CacheInfo): boolean =>
  status === 'hit' || status === 'stale' || status === 'shared'

/**
 * Makes the parts of one answer fit for one caller: usage 0 where nothing was used, ids of its own for the calls of
 * tools and the response, and a note of the cache.
 */
export function renewer(info: CacheInfo, now: () => number): (part: Part) => Part {
  const ids = new Map<unknown, string>()
  const idFor = (id: unknown): string => {
    const known = ids.get(id) ?? `call_${randomId()}`
    ids.set(id, known)
    return known
  }
  return (part) => {
    const type = String(part.type)
    if (type === 'finish') {
      return {
        ...part,
        ...(isHit(info) && { usage: unused(part['usage']) }),
        providerMetadata: { ...(part['providerMetadata'] as object), flowCache: noteOf(info, [part]) },
      }
    }
    if (!isHit(info)) return part
    if (type === 'response-metadata') return { ...part, id: randomId(), timestamp: new Date(now()) }
    if (type.startsWith('tool-input-')) return { ...part, id: idFor(part['id']) }
    if (type.startsWith('tool-')) return { ...part, toolCallId: idFor(part['toolCallId']) }
    return part
  }
}

/** The same for an answer in one piece. */
export function renewed(
  output: Readonly<Record<string, unknown>>,
  info: CacheInfo,
  now: () => number,
): Record<string, unknown> {
  const renew = renewer(info, now)
  const { content, response, providerMetadata, ...rest } = output
  const end = renew({ type: 'finish', usage: rest['usage'], providerMetadata })
  return {
    ...rest,
    content: (content as Part[]).map(renew),
    usage: end['usage'],
    providerMetadata: end['providerMetadata'],
    response: isHit(info)
      ? { ...(response as object), id: randomId(), timestamp: new Date(now()) }
      : response,
  }
}
