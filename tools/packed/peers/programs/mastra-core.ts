// A cached step in a workflow of Mastra 1.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheStep } from '@flow-cache/node/mastra'
import { RequestContext } from '@mastra/core/request-context'
import { createWorkflow } from '@mastra/core/workflows'
import { inputSchema, keepsTenantsApart, outputSchema, work } from './mastra-work.js'

const cache = new InMemoryCache()
const step = cacheStep(work, {
  cache,
  scope: ({ requestContext }) => ({ tenant: String(requestContext.get('tenant')) }),
})
const flow = createWorkflow({ id: 'flow', inputSchema, outputSchema }).then(step).commit()

await keepsTenantsApart(async (tenant) => {
  const requestContext = new RequestContext()
  requestContext.set('tenant', tenant)
  const run = await flow.createRun()
  const done = await run.start({ inputData: { question: 'q' }, requestContext })
  assert.equal(done.status, 'success')
  return done.result.answer
})
await cache.close()
process.exit(0)
