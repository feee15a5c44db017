import { randomId } from '@flow-cache/core'
import { type ModelResponse, Usage } from '@openai/agents-core'
import type { Cost } from '../price.js'

type Fields = Record<string, unknown>

/** The last chunk of what is recorded: why the model stopped. Callers do not get it. */
export interface End {
  readonly type: 'finish'
  readonly finishReason: string | undefined
}

/** Why the model stopped, as far as what the provider said shows it. */
export function reasonOf(said: unknown): string | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const { choices, status, response } = said as { choices?: unknown; status?: unknown; response?: unknown }
  if (Array.isArray(choices)) {
    const reason: unknown = (choices[0] as { finish_reason?: unknown } | undefined)?.finish_reason
    return typeof reason === 'string' ? reason : undefined
  }
  if (typeof status === 'string' && status !== 'in_progress' && status !== 'queued')
    return status === 'completed' ? 'stop' : status
  return reasonOf(response)
}

/** Whether tools or agents are called in it: those answers are kept only where asked for. */
export const callsTools = (output: unknown): boolean =>
  Array.isArray(output) && output.some((item) => /_call|_approval/u.test(String((item as Fields)['type'])))

/** What is stored of a response: no words of the provider about the request. */
export function plainOf({ usage, output }: ModelResponse): Fields {
  const { requests, inputTokens, outputTokens, totalTokens, inputTokensDetails } = usage
  return { output, usage: { requests, inputTokens, outputTokens, totalTokens, inputTokensDetails } }
}

/** Tokens as they were billed. */
export function costOf(usage: unknown, model: string): Cost {
  const { inputTokens, outputTokens, inputTokensDetails } = (usage ?? {}) as Fields
  const details = Array.isArray(inputTokensDetails) ? inputTokensDetails : [inputTokensDetails ?? {}]
  const cached = details.map((each: Fields) => Number(each['cached_tokens'] ?? each['cachedTokens'] ?? 0))
  return {
    inputTokens: Number(inputTokens ?? 0),
    outputTokens: Number(outputTokens ?? 0),
    cacheReadTokens: cached.reduce((sum, tokens) => sum + tokens, 0),
    model,
  }
}

/** Nothing used. */
const unused = { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0 }

const note = (usage: unknown): Fields => {
  const { inputTokens, outputTokens } = costOf(usage, '')
  return { flowCache: { hit: true, savedInputTokens: inputTokens, savedOutputTokens: outputTokens } }
}

/** Ids of their own for items and calls. */
const renewedItem = (item: Fields): Fields => ({
  ...item,
  ...('id' in item && { id: `fc_${randomId()}` }),
  ...('callId' in item && { callId: `call_${randomId()}` }),
})

const renewed = (output: unknown): unknown => (output as Fields[]).map(renewedItem)

/** A response for one caller, of what was stored. It has no `responseId`: the provider knows of no such response. */
export function responseOf(stored: Fields): ModelResponse {
  return {
    usage: new Usage(unused),
    output: renewed(stored['output']) as ModelResponse['output'],
    providerData: note(stored['usage']),
  }
}

/** An event for one caller, of what was stored. */
export function eventOf(event: Fields): Fields {
  if (event['type'] !== 'response_done') return event
  const { output, usage } = event['response'] as Fields
  const response = { id: `flow-cache-${randomId()}`, usage: unused, output: renewed(output) }
  return { type: 'response_done', response: { ...response, providerData: note(usage) } }
}
