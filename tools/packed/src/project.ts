import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { run } from './run.js'

/** A project outside of this repository, as somebody else has it: a `package.json` and what plain npm installed. */
export interface Project {
  readonly folder: string
  /** Names of everything that is installed at the top, scoped ones in full. */
  installed(): Promise<string[]>
  /** The version that is installed of a package. */
  version(name: string): Promise<string>
  /** Puts a file there, under its own name or another. Resolves to the name. */
  add(file: string, name?: string): Promise<string>
  write(name: string, text: string): Promise<void>
  /** Runs one of the installed programs, or `node`, or any path. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>
}

/** How npm installs here. */
export interface ProjectOptions {
  /** Install although the peers of others do not agree, as `--legacy-peer-deps` does. Default: `false`. */
  readonly legacyPeers?: boolean
}

/** Makes an empty project and installs packages or tarballs into it with plain npm, without running their scripts. */
export async function project(
  folder: string,
  packages: readonly string[],
  { legacyPeers = false }: ProjectOptions = {},
): Promise<Project> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
  if (legacyPeers) flags.push('--legacy-peer-deps')
  await run('npm', ['install', ...flags, ...packages], { cwd: folder, timeout: 300_000 })
  const modules = join(folder, 'node_modules')
  return {
    folder,
    async installed() {
      const names = (await readdir(modules)).filter((name) => !name.startsWith('.'))
      const listed = names.map(async (name) =>
        name.startsWith('@')
          ? (await readdir(join(modules, name))).map((under) => `${name}/${under}`)
          : [name],
      )
      return (await Promise.all(listed)).flat().toSorted()
    },
    async version(name) {
      const manifest = await readFile(join(modules, name, 'package.json'), 'utf8')
      return (JSON.parse(manifest) as { version: string }).version
    },
    async add(file, name = basename(file)) {
      await cp(file, join(folder, name), { recursive: true })
      return name
    },
    write: (name, text) => writeFile(join(folder, name), text),
    run: (command, args, env = {}) => run(command, args, { cwd: folder, env }),
  }
}
