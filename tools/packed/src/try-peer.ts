import { join } from 'node:path'
import { satisfies } from 'semver'
import { isPermissive } from './licences.js'
import { fileOf } from './peers.js'
import { type Project, project } from './project.js'
import { readManifest, root } from './repository.js'
import { runtime } from './runtime.js'
import type { Trial } from './trial.js'
import { typeCheck } from './type-check.js'
import { nodes } from './versions.js'

/** One version of a peer, and what it is tried with. */
export interface Tried {
  readonly name: string
  readonly version: string
  readonly trial: Trial
  readonly tarballs: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Installs a peer and our tarballs into an empty project, checks the types of the peer's programs against that version,
 * and runs them on the oldest Node that the peer accepts. They assert what they see.
 */
export async function tryPeer({ name, version, trial, tarballs, folder, env }: Tried): Promise<void> {
  const beside = trial.beside?.(version) ?? []
  const packages = [...tarballs, `${name}@${version}`, ...beside, '@types/node@20']
  const app = await project(folder, packages, { legacyPeers: true })
  const { license } = readManifest(join(app.folder, 'node_modules', name))
  if (!isPermissive(license))
    throw new Error(`${name}@${version} is under ${license}, which asks for more than a notice`)
  const programs = trial.programs?.(version) ?? [fileOf(name)]
  for (const program of [...programs, ...(trial.parts ?? [])])
    await app.add(join(root, 'tools/packed/peers/programs', program))
  await typeCheck(app, {
    files: programs,
    resolution: 'nodenext',
    compiler: 'ours',
    types: ['node'],
    out: 'out',
    lenient: true,
  })
  const { path } = await runtime('node', nodeFor(app, name))
  for (const program of programs) await app.run(path, [join('out', program.replace('.ts', '.js'))], env)
}

/** The oldest Node of ours that a package says it runs on. */
function nodeFor(app: Project, name: string): string {
  const { engines } = readManifest(join(app.folder, 'node_modules', name))
  const node = nodes.find((one) => satisfies(one, engines?.node ?? '*'))
  if (node === undefined)
    throw new Error(`${name} wants Node ${engines?.node}, and none of ${nodes.join(', ')} is that`)
  return node
}
