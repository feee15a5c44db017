// `pnpm release` publishes what the registry does not have, and `pnpm release --dry-run` shows what that would be, with the
// versions that the changesets come to, without touching anything. `--quick` leaves the checks out of a dry run.
import { parseArgs } from 'node:util'
import { root } from '../repository.js'
import { run } from '../run.js'
import { applies, obstacleOf, releaseChecks } from './checks.js'
import { cloneWithVersions } from './clone.js'
import { describe } from './describe.js'
import { canProve, obstaclesHere, obstaclesIn } from './obstacles.js'
import { planOf } from './plan.js'
import { publish } from './publish.js'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** What came of looking: what is in the way, a sentence each, and whether there is something to publish. */
interface Outcome {
  readonly obstacles: readonly string[]
  readonly publishes: boolean
}

const stop = (...obstacles: string[]): Outcome => ({ obstacles, publishes: false })

async function prepare(): Promise<Outcome> {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, quick: { type: 'boolean' } } })
  const { 'dry-run': dryRun = false, quick = false } = values
  if (quick && !dryRun) return stop('--quick is for --dry-run: what is published has passed its checks.')
  const before = await obstaclesHere(dryRun)
  if (before.length > 0) return stop(...before)

  await using clone = dryRun ? await cloneWithVersions() : undefined
  const checkout = clone?.folder ?? root
  await run('pnpm', ['build', '--filter=./packages/*'], { cwd: checkout, timeout: 600_000 })
  const plan = await planOf(checkout)
  for (const line of describe(plan, canProve())) say(line)

  if (plan.packages.length === 0) {
    const nothing =
      'There is nothing to release: no changeset is waiting, and the registry has every version.'
    if (dryRun) return stop(nothing)
    // The workflow asks after every push that brings no changeset.
    say(nothing)
    return stop()
  }
  const wrong = obstaclesIn(plan.packages)
  if (wrong.length > 0) return stop(...wrong)
  for (const check of quick ? [] : releaseChecks) {
    const compares = applies(check, checkout)
    const obstacle = compares ? await obstacleOf(check, checkout) : undefined
    if (obstacle !== undefined) return stop(obstacle)
    say(
      compares
        ? `✓ pnpm ${check.script}`
        : `- pnpm ${check.script}: there is no ${check.against} to compare with`,
    )
  }
  if (dryRun) say(`Nothing was published: this was a dry run${quick ? ', without the checks' : ''}.`)
  return { obstacles: [], publishes: !dryRun }
}

const { obstacles, publishes } = await prepare().catch((error: unknown) =>
  stop(error instanceof Error ? error.message : String(error)),
)
for (const obstacle of obstacles) process.stderr.write(`✗ ${obstacle}\n`)
if (obstacles.length > 0) {
  process.stderr.write('Nothing was published.\n')
  process.exitCode = 1
}
if (publishes) await publish()
