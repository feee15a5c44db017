// Tries the adapters against frameworks whose newest version needs a newer Node than the tests run on. Packs our packages,
// installs them with the framework into an empty project, and counts runs. For CI's newer Nodes: `node scripts/newest-frameworks.js`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flow-cache-newest-'))
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })

const mastra = `
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { cacheStep } from '@flow-cache/node/mastra'
import { RequestContext } from '@mastra/core/request-context'
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
const step = cacheStep(work, { cache, scope: ({ requestContext }) => ({ tenant: requestContext.get('tenant') }) })
const flow = createWorkflow({ id: 'flow', inputSchema, outputSchema }).then(step).commit()
const ask = async (tenant) => {
  const requestContext = new RequestContext()
  requestContext.set('tenant', tenant)
  const one = await flow.createRun()
  const { status, result } = await one.start({ inputData: { question: 'q' }, requestContext })
  assert.equal(status, 'success')
  return result.answer
}
assert.deepEqual(await Promise.all([ask('a'), ask('a'), ask('b')]).then((all) => all.toSorted()), ['q1', 'q1', 'q2'])
assert.equal(await ask('a'), 'q1')
assert.equal(runs, 2)
await cache.close()
process.exit(0)
`

try {
  const packed = ['core', 'memory', 'node'].map((name) => {
    const file = join(folder, `${name}.tgz`)
    run('npx', ['-y', 'pnpm@12.21.0', 'pack', '--out', file], join(root, 'packages', name))
    return file
  })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...packed, '@mastra/core@1', 'zod@4'],
    folder,
  )
  writeFileSync(join(folder, 'mastra.js'), mastra)
  run(process.execPath, ['mastra.js'], folder)
  process.stdout.write(`The newest Mastra runs cached steps on Node ${process.version}.\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
