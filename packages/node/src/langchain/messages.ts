import { Document } from '@langchain/core/documents'
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  HumanMessage,
  HumanMessageChunk,
  isBaseMessage,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
} from '@langchain/core/messages'
import { replaced, type Shape } from '../plain.js'

/** Messages of these classes are stored, and no others: what is found in a store names no class that is not here. */
const classes = {
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
}

/** What a message is made of; `type` and what begins with `lc_` the class adds itself. */
function fieldsOf(message: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).filter(
      ([name, value]) => name !== 'type' && !name.startsWith('lc_') && value !== undefined,
    ),
  )
}

/** LangChain's messages and documents. */
export const messageShapes: readonly Shape[] = [
  ...Object.entries(classes).map(([name, Class]): Shape => {
    const Make = Class as unknown as new (fields: object) => object
    return {
      name,
      test: (value) => Object.getPrototypeOf(value) === Make.prototype,
      fields: fieldsOf,
      make: (fields) => new Make(fields),
    }
  }),
  {
    name: 'Document',
    test: (value) => value instanceof Document,
    fields: (value) => ({ ...value }),
    make: (fields) => new Document(fields as { pageContent: string }),
  },
]

/** What a provider reports of one call, and does not read when it is told of the message again. */
const reports = new Set<string>([
  'id',
  'created',
  'usage',
  'tokenUsage',
  'estimatedTokenUsage',
  'system_fingerprint',
  'flowCache',
])

/**
 * Messages as far as they say what is asked: without their own ids, which are drawn anew for each conversation, and
 * without reports of usage. The ids of tool calls are counted, so that two conversations that differ only in those
 * are one. For keys: `key: ({ messages }) => conversation(messages)`.
 */
export function conversation(messages: readonly BaseMessage[]): unknown {
  const ids = new Map<string, unknown>()
  for (const message of messages) {
    const calls = (message as { tool_calls?: readonly { id?: string }[] }).tool_calls ?? []
    for (const { id } of calls) if (id !== undefined && !ids.has(id)) ids.set(id, { call: ids.size })
  }
  return messages.map((message) => {
    if (!isBaseMessage(message)) return message
    const { id: _, usage_metadata: __, response_metadata, ...fields } = fieldsOf(message)
    const told = Object.entries(response_metadata ?? {}).filter(([name]) => !reports.has(name))
    return {
      type: message.getType(),
      ...(replaced({ ...fields, told: Object.fromEntries(told) }, ids) as object),
    }
  })
}
