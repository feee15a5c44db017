import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { maxSatisfying, minSatisfying } from 'semver'
import { published, root } from './repository.js'
import { run } from './run.js'
import type { Trial } from './trial.js'

/** A package of somebody else that one of ours works with, in a range of versions. */
export interface Peer {
  readonly name: string
  readonly range: string
  /** Ours that asks for it. */
  readonly by: string
}

/** Every peer of every published package, without those that are ours. */
export function allPeers(): Peer[] {
  const own = new Set(published().map(({ manifest }) => manifest.name))
  return published().flatMap(({ manifest }) =>
    Object.entries(manifest.peerDependencies ?? {})
      .filter(([name]) => !own.has(name))
      .map(([name, range]) => ({ name, range, by: manifest.name })),
  )
}

/** The file that is named for a peer: `@langchain/core` is tried by `langchain-core.ts`. */
export const fileOf = (peer: string): string => `${peer.replace('@', '').replace('/', '-')}.ts`

/** The lowest and the newest version of each part of a range, as the registry has them: `^5 || ^6` has four ends. */
export async function endsOf({ name, range }: Peer): Promise<string[]> {
  const answer = await run('npm', ['view', name, 'versions', '--json'], { cwd: root })
  const all = JSON.parse(answer) as string[]
  const ends = range.split('||').flatMap((part) => {
    const lowest = minSatisfying(all, part)
    const newest = maxSatisfying(all, part)
    if (lowest === null || newest === null) throw new Error(`no published ${name} is in ${part} of ${range}`)
    return [lowest, newest]
  })
  return [...new Set(ends)]
}

/** How a peer is tried, as the file in `peers/` that is named for it says. */
export async function trialOf(peer: string): Promise<Trial> {
  const file = join(root, 'tools/packed/peers', fileOf(peer))
  if (!existsSync(file)) throw new Error(`nothing tries ${peer}: write tools/packed/peers/${fileOf(peer)}`)
  return ((await import(file)) as { trial: Trial }).trial
}
