import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../run.js'

/** Something that has to pass before a release. */
export interface Check {
  /** The script of the root's `package.json`. */
  readonly script: string
  /** A file that it compares with. Where there is none yet, there is nothing to check. */
  readonly against?: string
}

/** Everything that has to pass, in this order. */
export const releaseChecks: readonly Check[] = [
  { script: 'check' },
  // Is anything slower than in the last release?
  { script: 'bench:check', against: 'bench/released.json' },
]

const hour = 3_600_000

/** Whether a check has anything to compare with in a checkout. */
export const applies = ({ against }: Check, checkout: string): boolean =>
  against === undefined || existsSync(join(checkout, against))

/** Runs one in a checkout, and resolves to a sentence if it fails. */
export async function obstacleOf({ script }: Check, checkout: string): Promise<string | undefined> {
  try {
    await run('pnpm', [script], { cwd: checkout, timeout: hour })
    return undefined
  } catch (error) {
    return `"pnpm ${script}" fails:\n${(error as Error).message}`
  }
}
