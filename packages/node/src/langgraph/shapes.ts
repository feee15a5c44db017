import { Command, Send } from '@langchain/langgraph'
import { messageShapes } from '../langchain/messages.js'
import type { Shape } from '../plain.js'

/** What LangGraph's nodes answer with beside plain data: messages, and where to go on. */
export const graphShapes: readonly Shape[] = [
  ...messageShapes,
  {
    name: 'Command',
    test: (value) => value instanceof Command,
    fields: (value) => {
      const { graph, update, resume, goto } = value as Command
      return { graph, update, resume, goto }
    },
    make: (fields) => new Command(fields),
  },
  {
    name: 'Send',
    test: (value) => value instanceof Send,
    fields: (value) => {
      const { node, args, timeout } = value as Send & { timeout?: unknown }
      return { node, args, timeout }
    },
    make: ({ node, args, timeout }) =>
      new Send(node as string, args, timeout === undefined ? undefined : ({ timeout } as never)),
  },
]
