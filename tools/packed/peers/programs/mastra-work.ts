// What the programs of both majors of Mastra have in common: a step that counts its runs, and what is expected of it.
import assert from 'node:assert/strict'
import { createStep } from '@mastra/core/workflows'
import { z } from 'zod'

export const inputSchema = z.object({ question: z.string() })
export const outputSchema = z.object({ answer: z.string() })

let runs = 0
export const work = createStep({
  id: 'work',
  inputSchema,
  outputSchema,
  execute: async ({ inputData }) => ({ answer: inputData.question + ++runs }),
})

/** Three runs at once for two tenants and one later: the step runs once for each tenant. */
export async function keepsTenantsApart(ask: (tenant: string) => Promise<string>): Promise<void> {
  const answers = await Promise.all([ask('a'), ask('a'), ask('b')])
  assert.deepEqual(answers.toSorted(), ['q1', 'q1', 'q2'])
  assert.equal(await ask('a'), answers[0])
  assert.equal(runs, 2)
}
