import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseTarGzip } from 'nanotar'
import { type Manifest, type Published, published, root } from './repository.js'
import { run } from './run.js'

/** A package as it is published: one file, and what is in it. */
export interface Packed {
  readonly name: string
  readonly tarball: string
  /** Bytes of the tarball. */
  readonly size: number
  /** Its `package.json` after packing: workspace ranges and `publishConfig.exports` have been put in. */
  readonly manifest: Manifest
  readonly files: readonly PackedFile[]
}

export interface PackedFile {
  readonly path: string
  readonly size: number
  readonly text: string
}

/** Packs every published package of a checkout into an empty folder, as publishing does. They have to be built. */
export async function packAll(folder: string, checkout: string = root): Promise<Packed[]> {
  await Promise.all(published(checkout).map((one) => pack(one, folder)))
  const packed = await packedIn(folder)
  for (const one of packed) complain(one)
  return packed
}

/** What {@link packAll} put into a folder. */
export async function packedIn(folder: string): Promise<Packed[]> {
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).toSorted()
  return Promise.all(tarballs.map((name) => read(join(folder, name))))
}

async function pack({ folder }: Published, into: string): Promise<void> {
  await run('pnpm', ['pack', '--out', join(into, `${basename(folder)}.tgz`)], { cwd: folder })
}

async function read(tarball: string): Promise<Packed> {
  const bytes = await readFile(tarball)
  const files = (await parseTarGzip(bytes))
    .filter(({ type }) => type === 'file')
    .map((file) => ({ path: file.name.replace('package/', ''), size: file.size ?? 0, text: file.text }))
  const json = files.find(({ path }) => path === 'package.json')
  if (json === undefined) throw new Error(`${tarball} holds no package.json.`)
  const manifest = JSON.parse(json.text) as Manifest
  return { name: manifest.name, tarball, size: bytes.length, manifest, files }
}

function complain(packed: Packed): void {
  const paths = new Set(packed.files.map(({ path }) => path))
  const missing = Object.keys(packed.manifest.exports ?? {})
    .flatMap((path) => targetsOf(packed, path))
    .filter((target) => !paths.has(target))
  if (missing.length === 0) return
  throw new Error(`${packed.name} is packed without ${missing.join(' and ')}. Run "pnpm build" first.`)
}

/** The paths of its `exports`, without `package.json`: `.`, `./ai-sdk`. */
export const pathsOf = ({ manifest }: Packed): string[] =>
  Object.keys(manifest.exports ?? {}).filter((path) => path !== './package.json')

/** The files that a path of `exports` stands for: declarations and a program. */
export function targetsOf({ manifest }: Packed, path: string): string[] {
  const conditions = manifest.exports?.[path]
  const targets = typeof conditions === 'string' ? [conditions] : Object.values(conditions ?? {})
  return targets.map((target) => String(target).replace('./', ''))
}
