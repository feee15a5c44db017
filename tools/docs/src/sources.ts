import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './pages.js'

/** A package, as its sources tell. */
export interface Source {
  /** Its folder, from the root of the repository. */
  readonly folder: string
  /** What is in its files, tests left out. */
  readonly files: readonly string[]
  /** What its public entries hold, one after the other. */
  readonly entries: string
}

/** An interface, as it is written. */
export interface Interface {
  readonly name: string
  readonly members: ReadonlyMap<string, string>
}

/** Every package of the repository. */
export async function readSources(): Promise<readonly Source[]> {
  const folders = (await readdir(join(root, 'packages'))).toSorted()
  return Promise.all(folders.map((name) => sourceOf(`packages/${name}`)))
}

async function sourceOf(folder: string): Promise<Source> {
  const { exports } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Manifest
  const entries = Object.values(exports).flatMap(({ '@flow-cache/source': file }) => file ?? [])
  const names = await readdir(join(root, folder, 'src'), { recursive: true })
  const files = names.filter((name) => name.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(name))
  return {
    folder,
    files: await Promise.all(files.map((name) => readFile(join(root, folder, 'src', name), 'utf8'))),
    entries: (await Promise.all(entries.map((file) => readFile(join(root, folder, file), 'utf8')))).join(
      '\n',
    ),
  }
}

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly '@flow-cache/source'?: string }>>
}

/** The interfaces of a file that it exports, with their own members and what each one is. */
export function interfacesOf(file: string): readonly Interface[] {
  return [...file.matchAll(/^export interface (\w+)[^{]*\{\n(.*?)\n\}/gms)].map(([, name, body]) => ({
    name: name!,
    members: membersOf(body!),
  }))
}

function membersOf(body: string): ReadonlyMap<string, string> {
  const bare = body.replaceAll(/\/\*\*.*?\*\//gs, '')
  const members = bare.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:<](.*?)(?=^ {2}(?:readonly )?\w|$(?![^]))/gms)
  return new Map([...members].map(([, name, type]) => [name!, type!]))
}

/** Every code of an error that a package names. */
export function codesOf({ files }: Source): readonly string[] {
  return [...new Set(files.flatMap((file) => file.match(/\bERR_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []))]
}

/** The variants of a union of objects that are told apart by `type`, and their other fields. */
export function variantsOf(file: string, name: string): ReadonlyMap<string, readonly string[]> {
  const [, union = ''] = new RegExp(`^export type ${name} =\\n(.*?)\\n\\n`, 'ms').exec(file) ?? []
  const variants = [...union.matchAll(/\{([^}]*)\}/g)].map(([, body]) => {
    const fields = [...body!.matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field!)
    const [, type = ''] = /type: '([\w-]+)'/.exec(body!) ?? []
    return [type, fields.filter((field) => field !== 'type')] as const
  })
  return new Map(variants)
}
