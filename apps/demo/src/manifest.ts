import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { present } from './present.js'

/** What a `package.json` may say. Nothing of it is certain. */
export type Manifest = Readonly<Record<string, unknown>>

/** The `package.json` in a folder; empty where there is none. */
export function readManifest(folder: string): Manifest {
  const text = present(() => readFileSync(join(folder, 'package.json'), 'utf8'))
  try {
    const manifest: unknown = JSON.parse(text ?? '{}')
    return typeof manifest === 'object' && manifest !== null ? (manifest as Manifest) : {}
  } catch {
    return {} // a broken package.json costs the package its name, not its documentation
  }
}

/** The packages that the project around a `node_modules` asks for by name; none for any other folder. */
export function dependenciesOf(folder: string): ReadonlySet<string> {
  const path = resolve(folder)
  if (basename(path) !== 'node_modules') return new Set()
  const { dependencies, devDependencies, optionalDependencies } = readManifest(dirname(path))
  return new Set(
    [dependencies, devDependencies, optionalDependencies].flatMap((some) => Object.keys(some ?? {})),
  )
}
