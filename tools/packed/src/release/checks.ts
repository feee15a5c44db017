import { readManifest } from '../repository.js'
import { run } from '../run.js'

/** What has to pass before a release, in this order: the second compares speed with the last release. */
export const releaseChecks = ['check', 'bench:check'] as const

const hour = 3_600_000

/** Runs one of them in a checkout, and resolves to a sentence if it fails. */
export async function obstacleOf(check: string, checkout: string): Promise<string | undefined> {
  if (readManifest(checkout).scripts?.[check] === undefined) return `There is no "pnpm ${check}" to pass.`
  try {
    await run('pnpm', [check], { cwd: checkout, timeout: hour })
    return undefined
  } catch (error) {
    return `"pnpm ${check}" fails:\n${(error as Error).message}`
  }
}
