import type { Packed } from '../pack.js'
import { root } from '../repository.js'
import { run } from '../run.js'
import { pendingChangesets } from './changesets.js'

/** What keeps this repository from being released, before anything is built: a sentence each. */
export async function obstaclesHere(dryRun: boolean): Promise<string[]> {
  const changed = await run('git', ['status', '--porcelain'], { cwd: root })
  const pending = pendingChangesets(root)
  const branch = (await run('git', ['branch', '--show-current'], { cwd: root })).trim()
  return sentences([
    [
      changed !== '',
      `There are changes that are not committed, and a release is made of what is committed:\n${changed}`,
    ],
    [
      !dryRun && pending.length > 0,
      `Changesets are waiting for a version: ${pending.join(', ')}. Merge the version pull request first.`,
    ],
    [
      !dryRun && branch !== 'main',
      `Releases are made of main, and this is ${branch === '' ? 'no branch' : branch}.`,
    ],
    [
      !dryRun && !canProve(),
      'Where a package was built can be proved in the release workflow alone: merge the version pull request, and it publishes.',
    ],
  ])
}

/** Whether this is a workflow of GitHub's that may ask for an identity, of which provenance is made. */
export const canProve = (): boolean => process.env['ACTIONS_ID_TOKEN_REQUEST_URL'] !== undefined

/** What is wrong with packages as they would be published: a sentence each. */
export function obstaclesIn(packages: readonly Packed[]): string[] {
  return packages.flatMap(({ name, manifest, files }) => {
    const paths = new Set(files.map(({ path }) => path))
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
    const odd = ranges.filter(([, range]) => /^(?:workspace|file|link|catalog):/.test(range))
    const stray = [...paths].filter((path) => /\.test(?:-d)?\.|tsbuildinfo|(?:^|\/)\.(?!\.)/.test(path))
    return sentences([
      [manifest.version === '0.0.0', `${name} has no version: no changeset names it.`],
      [
        manifest.publishConfig?.access !== 'public',
        `${name} would not be public: say so in its publishConfig.`,
      ],
      [
        !paths.has('README.md') || !paths.has('LICENSE'),
        `${name} is packed without its README.md or LICENSE.`,
      ],
      [
        odd.length > 0,
        `${name} asks for what nobody else has: ${odd.map((pair) => pair.join(' ')).join(', ')}.`,
      ],
      [stray.length > 0, `${name} carries what nobody needs: ${stray.join(', ')}.`],
    ])
  })
}

const sentences = (all: readonly (readonly [applies: boolean, sentence: string])[]): string[] =>
  all.filter(([applies]) => applies).map(([, sentence]) => sentence)
