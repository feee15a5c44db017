import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'

const here = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

beforeAll(() => {
  execFileSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: here })
}, 120_000)

// `pnpm chaos --minutes 10` is the long one.
it('three processes share a cache for fifteen seconds of faults, and none sees what it may not see', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/main.js', '--minutes', '0.25'], {
    cwd: here,
  }).catch((error: { stdout: string }) => error)
  expect(stdout).toContain('0 violations')
  const operations = Number(/(\d+) operations/.exec(stdout)![1])
  expect(operations).toBeGreaterThan(1_000)
}, 120_000)
