import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Packed, packAll } from '../pack.js'
import { root } from '../repository.js'
import { run } from '../run.js'
import { tagOf } from './changesets.js'

/** What a release of a checkout would publish. */
export interface Plan {
  readonly commit: string
  readonly tag: string
  /** Packages whose version is not on the registry, as they would be published. */
  readonly packages: readonly Packed[]
  /** The others: their version has been published. */
  readonly published: readonly Packed[]
}

/** Packs a checkout that has been built, and asks the registry what of it there is already. */
export async function planOf(checkout: string): Promise<Plan> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-tarballs-'))
  try {
    const all = await packAll(folder, checkout)
    const there = await Promise.all(all.map(isPublished))
    const commit = await run('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
    return {
      commit: commit.trim(),
      tag: tagOf(checkout),
      packages: all.filter((_, at) => there[at] === false),
      published: all.filter((_, at) => there[at]),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether the registry has this version. A registry that cannot be asked is an error, not a no. */
async function isPublished({ name, manifest }: Packed): Promise<boolean> {
  try {
    return (await run('npm', ['view', `${name}@${manifest.version}`, 'version'], { cwd: root })).trim() !== ''
  } catch (error) {
    if (String(error).includes('E404')) return false
    throw error
  }
}
