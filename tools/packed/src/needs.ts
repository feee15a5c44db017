import { posix } from 'node:path'
import { type Packed, targetsOf } from './pack.js'

const imported = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g

/** The modules that a packed file and all it leads to inside its package import, as they are written there. */
export function modulesOf({ files }: Packed, entry: string): string[] {
  const texts = new Map(files.map((file) => [file.path, file]))
  const modules = new Set<string>()
  const seen = new Set<string>()
  const follow = (path: string): void => {
    // Declarations import `./x.js` and mean `./x.d.ts`, if there is no such program.
    const file = texts.get(path) ?? texts.get(path.replace(/\.js$/, '.d.ts'))
    if (file === undefined || seen.has(file.path)) return
    seen.add(file.path)
    for (const [, name = ''] of file.text.matchAll(imported)) {
      if (name.startsWith('.')) follow(posix.join(posix.dirname(file.path), name))
      else modules.add(name)
    }
  }
  follow(entry)
  return [...modules]
}

/** The peers of a package that an entry of it imports, in its program or in its declarations. */
export function peersOf(packed: Packed, path: string): string[] {
  const peers = Object.keys(packed.manifest.peerDependencies ?? {})
  return peers.filter((peer) =>
    targetsOf(packed, path)
      .flatMap((target) => modulesOf(packed, target))
      .some((name) => name === peer || name.startsWith(`${peer}/`)),
  )
}
