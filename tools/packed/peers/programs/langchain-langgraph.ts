// A node behind LangGraph's own cache policy, and one behind `cachedNode`: each runs once.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cachedNode, flowKey, langGraphCache } from '@flow-cache/node/langgraph'
import { Annotation, END, START, StateGraph } from '@langchain/langgraph'

const State = Annotation.Root({
  question: Annotation<string>,
  answer: Annotation<string>,
  length: Annotation<number>,
})
await using cache = new InMemoryCache()
let runs = 0
let counts = 0
const answer = (): { answer: string } => ({ answer: `answer ${++runs}` })
const count = ({ answer }: typeof State.State): { length: number } => {
  counts++
  return { length: answer.length }
}

const graph = new StateGraph(State)
  .addNode('ask', answer, { cachePolicy: { keyFunc: flowKey } })
  .addNode('measure', cachedNode(count, { cache, name: 'count', scope: 'global' }))
  .addEdge(START, 'ask')
  .addEdge('ask', 'measure')
  .addEdge('measure', END)
  .compile({ cache: langGraphCache({ cache, graph: 'g', version: '1', scope: 'global' }) })

const first = await graph.invoke({ question: 'q' })
await cache.drain()
assert.deepEqual(await graph.invoke({ question: 'q' }), first)
assert.deepEqual(first, { question: 'q', answer: 'answer 1', length: 8 })
assert.deepEqual([runs, counts], [1, 1])
