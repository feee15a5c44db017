import type { Cache } from '@flow-cache/core'
import { cachedNode } from '@flow-cache/node/langgraph'
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from '@langchain/langgraph'

export interface Document {
  /** One of its kind, over all tenants. */
  readonly id: string
  readonly text: string
}

/** What the graph's nodes ask: a search in a tenant's documents, and a model. Both are slow, and cost. */
export interface Help {
  search(tenant: string, question: string): Promise<readonly Document[]>
  /** The words of an answer, one after another. */
  answer(question: string, documents: readonly Document[]): AsyncIterable<string>
}

const State = Annotation.Root({
  question: Annotation<string>,
  documents: Annotation<readonly Document[]>,
  answer: Annotation<string>,
})
type Asked = typeof State.State

const tenantOf = ({ configurable }: LangGraphRunnableConfig): string => String(configurable?.['tenant'] ?? '')

/** When a document has changed: `cache.invalidateTags([tagOf(id)])` ends the searches that found it. */
export const tagOf = (id: string): string => `document ${id}`

/**
 * A graph that finds documents and answers with them. Runs that come to the same node with the same state at once share
 * its work, in all threads; later ones take what it brought, and hear the words again.
 */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- LangGraph's own type has eight parameters
export function helpGraph(help: Help, cache: Cache) {
  const shared = {
    cache,
    // A run without a tenant is an error: nobody is given somebody else's answer.
    scope: (config: LangGraphRunnableConfig) => ({ tenant: tenantOf(config) }),
    ttl: '1h',
    staleIfError: '1d',
  } as const

  const find = cachedNode(
    async ({ question }: Asked, config) => ({ documents: await help.search(tenantOf(config), question) }),
    {
      ...shared,
      name: 'help.find',
      key: ({ question }) => question,
      // What else it sees of the run: reading more is an error, since it would not be in the key.
      reads: ['tenant'],
      tags: ({ documents }) => documents.map(({ id }) => tagOf(id)),
    },
  )
  const answer = cachedNode(
    async ({ question, documents }: Asked, { writer }) => {
      let text = ''
      for await (const word of help.answer(question, documents)) {
        text += word
        writer?.(word)
      }
      return { answer: text }
    },
    {
      ...shared,
      name: 'help.answer',
      // By what the documents say, so a changed one needs no tag here: it is another key.
      key: ({ question, documents }) => ({ question, documents }),
    },
  )
  return new StateGraph(State)
    .addNode('find', find)
    .addNode('write', answer)
    .addEdge(START, 'find')
    .addEdge('find', 'write')
    .addEdge('write', END)
    .compile()
}
