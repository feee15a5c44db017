// `pnpm release` publishes what the registry does not have, and `pnpm release --dry-run` shows what that would be, with the
// versions that the changesets come to, without touching anything. `--quick` leaves the checks out of a dry run.
import { parseArgs } from 'node:util'
import { root } from '../repository.js'
import { run } from '../run.js'
import { obstacleOf, releaseChecks } from './checks.js'
import { cloneWithVersions } from './clone.js'
import { describe } from './describe.js'
import { canProve, obstaclesHere, obstaclesIn } from './obstacles.js'
import { planOf } from './plan.js'
import { publish } from './publish.js'

const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, quick: { type: 'boolean' } } })
const dryRun = values['dry-run'] === true
const quick = values.quick === true
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Releases, or says why not: a sentence for each obstacle. */
async function release(): Promise<string[]> {
  if (quick && !dryRun) return ['--quick is for --dry-run: what is published has passed its checks.']
  const obstacles = await obstaclesHere(dryRun)
  if (obstacles.length > 0) return obstacles

  await using clone = dryRun ? await cloneWithVersions() : undefined
  const checkout = clone?.folder ?? root
  await run('pnpm', ['build'], { cwd: checkout, timeout: 600_000 })
  const plan = await planOf(checkout)
  for (const line of describe(plan, canProve())) say(line)

  if (plan.packages.length === 0) {
    const nothing =
      'There is nothing to release: no changeset is waiting, and the registry has every version.'
    if (dryRun) return [nothing]
    // The workflow asks after every push that brings no changeset.
    say(nothing)
    return []
  }
  const wrong = obstaclesIn(plan.packages)
  if (wrong.length > 0) return wrong
  for (const check of quick ? [] : releaseChecks) {
    const obstacle = await obstacleOf(check, checkout)
    if (obstacle !== undefined) return [obstacle]
    say(`✓ pnpm ${check}`)
  }
  if (dryRun) say(`Nothing was published: this was a dry run${quick ? ', without the checks' : ''}.`)
  else await publish()
  return []
}

const obstacles = await release().catch((error: unknown) => [
  error instanceof Error ? error.message : String(error),
])
for (const obstacle of obstacles) process.stderr.write(`✗ ${obstacle}\n`)
if (obstacles.length > 0) {
  process.stderr.write('Nothing was published.\n')
  process.exitCode = 1
}
