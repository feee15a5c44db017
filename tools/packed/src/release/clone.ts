import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../repository.js'
import { run } from '../run.js'

/** A copy of what is committed here, with the versions that the changesets come to. */
export interface Clone extends AsyncDisposable {
  readonly folder: string
}

/** Makes one outside of this repository, installs what it needs, and writes the versions. Nothing here is touched. */
export async function cloneWithVersions(): Promise<Clone> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-release-'))
  const clone = {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
  try {
    await run('git', ['clone', '--quiet', root, folder], { cwd: root })
    await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], {
      cwd: folder,
      env: { CI: 'true' },
    })
    await run('pnpm', ['changeset', 'version'], { cwd: folder })
    return clone
  } catch (error) {
    await clone[Symbol.asyncDispose]()
    throw error
  }
}
