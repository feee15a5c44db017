import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './repository.js'
import { run } from './run.js'

/** A program that runs JavaScript, as the registry has it for this platform. */
export interface Runtime {
  readonly name: RuntimeName
  readonly version: string
  /** The program itself. */
  readonly path: string
}

export type RuntimeName = 'node' | 'bun' | 'deno'

const os = process.platform === 'win32' ? 'win' : process.platform

/**
 * What brings each, and where in it the program may be. The packages of Bun and Deno name one package a
 * platform, and npm installs the one that fits; Node's would run npm once more from a script.
 */
const sources: Record<RuntimeName, { from: string; scope: string; programs: string[] }> = {
  node: { from: `node-${os}-${process.arch}`, scope: '', programs: ['bin/node', 'bin/node.exe'] },
  bun: { from: 'bun', scope: '@oven', programs: ['bin/bun', 'bin/bun.exe'] },
  deno: { from: 'deno', scope: '@deno', programs: ['deno', 'deno.exe'] },
}

/**
 * Installs a runtime from npm into `node_modules/.cache`, once, without running a script. Rejects with a sentence
 * where the registry has none for this platform.
 */
export async function runtime(name: RuntimeName, version: string): Promise<Runtime> {
  const cache = join(root, 'node_modules/.cache/runtimes')
  const folder = join(cache, `${name}-${version}`)
  const there = await program(name, folder)
  if (there !== undefined) return { name, version, path: there }

  const { from } = sources[name]
  await mkdir(cache, { recursive: true })
  const half = await mkdtemp(join(cache, 'half-'))
  try {
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', half]
    await run('npm', ['install', ...flags, `${from}@${version}`], { cwd: half, timeout: 300_000 })
    if ((await program(name, half)) === undefined) throw new Error('no program for this platform is in it')
    // Two at once both fetch. The first is kept: somebody may be running it already.
    await rename(half, folder).catch(async (error: unknown) => {
      if ((await program(name, folder)) === undefined) throw error
    })
  } catch (error) {
    const where = `${process.platform} ${process.arch}`
    throw new Error(`${name} ${version} cannot be had from npm (${from}) on ${where}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await rm(half, { recursive: true, force: true })
  }
  return { name, version, path: (await program(name, folder)) as string }
}

/** The program in a folder that a runtime was installed into; a platform may have several packages, as for its libc. */
async function program(name: RuntimeName, folder: string): Promise<string | undefined> {
  const { from, scope, programs } = sources[name]
  const modules = join(folder, 'node_modules', scope)
  const packages = scope === '' ? [from] : await readdir(modules).catch(() => [])
  for (const path of packages.flatMap((one) => programs.map((program) => join(modules, one, program)))) {
    const says = await access(path)
      .then(() => run(path, ['--version'], { cwd: folder }))
      .catch(() => undefined)
    if (says !== undefined) return path
  }
  return undefined
}
