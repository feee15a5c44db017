import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top folder of this repository. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url))

/** What a `package.json` says, as far as it is looked at here. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly engines?: { readonly node?: string }
  readonly type?: string
  readonly sideEffects?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
  readonly publishConfig?: {
    readonly access?: string
    readonly tag?: string
    readonly exports?: Readonly<Record<string, unknown>>
  }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** A package of this repository that is published. */
export interface Published {
  /** Where its `package.json` is. */
  readonly folder: string
  /** As it stands in the repository, which is not how it is published. */
  readonly manifest: Manifest
}

/** Every package that is published from a checkout of this repository, in the order of the names of their folders. */
export function published(checkout: string = root): Published[] {
  const packages = join(checkout, 'packages')
  return readdirSync(packages)
    .toSorted()
    .map((name) => join(packages, name))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
}

/** What the `package.json` of a folder says. */
export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
