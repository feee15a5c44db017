// A cached step in a workflow of Mastra 0.24.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheStep } from '@flow-cache/node/mastra'
import { RuntimeContext } from '@mastra/core/runtime-context'
import { createWorkflow } from '@mastra/core/workflows'
import { inputSchema, keepsTenantsApart, outputSchema, work } from './mastra-work.js'

const cache = new InMemoryCache()
const step = cacheStep(work, {
  cache,
  scope: ({ runtimeContext }) => ({ tenant: String(runtimeContext.get('tenant')) }),
})
const flow = createWorkflow({ id: 'flow', inputSchema, outputSchema }).then(step).commit()

await keepsTenantsApart(async (tenant) => {
  const runtimeContext = new RuntimeContext()
  runtimeContext.set('tenant', tenant)
  const run = await flow.createRunAsync()
  const done = await run.start({ inputData: { question: 'q' }, runtimeContext })
  assert.equal(done.status, 'success')
  return done.result.answer
})
await cache.close()
process.exit(0)
