// A step of two tenants, three runs at once and one later: it runs once for each tenant.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheStep } from '@flow-cache/node/mastra'
import { RuntimeContext } from '@mastra/core/runtime-context'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { z } from 'zod'

const inputSchema = z.object({ question: z.string() })
const outputSchema = z.object({ answer: z.string() })
const cache = new InMemoryCache()
let runs = 0
const work = createStep({
  id: 'work',
  inputSchema,
  outputSchema,
  execute: async ({ inputData }) => ({ answer: inputData.question + ++runs }),
})
const step = cacheStep(work, {
  cache,
  scope: ({ runtimeContext }) => ({ tenant: String(runtimeContext.get('tenant')) }),
})
const flow = createWorkflow({ id: 'flow', inputSchema, outputSchema }).then(step).commit()
const ask = async (tenant: string): Promise<string> => {
  const runtimeContext = new RuntimeContext()
  runtimeContext.set('tenant', tenant)
  const run = await flow.createRunAsync()
  const done = await run.start({ inputData: { question: 'q' }, runtimeContext })
  assert.equal(done.status, 'success')
  return done.result.answer
}
assert.deepEqual((await Promise.all([ask('a'), ask('a'), ask('b')])).toSorted(), ['q1', 'q1', 'q2'])
assert.equal(await ask('a'), 'q1')
assert.equal(runs, 2)
await cache.close()
process.exit(0)
