import { spawn } from 'node:child_process'
import { access, constants, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How to run a Redis server on this machine. */
export interface RedisBinary {
  readonly path: string
  /** What the environment must hold beside the usual. */
  readonly env: Readonly<Record<string, string>>
}

const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))

const advice =
  'These tests need a Redis server: set REDIS_URL, or put redis-server (6.2 or newer) on PATH, ' +
  'for example with `apt-get install redis-server` or `brew install redis`.'

/** The server on PATH, or Debian's, unpacked into a folder of this repository. Rejects with advice if neither works. */
export async function redisBinary(): Promise<RedisBinary> {
  const installed = await onPath('redis-server', 'valkey-server')
  if (installed) return { path: installed, env: {} }
  const folder = join(cache, 'redis-server')
  const unpacked = { path: join(folder, 'redis-server'), env: { LD_LIBRARY_PATH: folder } }
  if (await executable(unpacked.path)) return unpacked
  if (!(await onPath('apt-get')) || !(await onPath('dpkg-deb'))) throw new Error(advice)
  try {
    await unpackDebian(folder)
  } catch (error) {
    throw new Error(`${advice} (Fetching Debian's package failed: ${(error as Error).message})`, {
      cause: error,
    })
  }
  return unpacked
}

/**
 * Fetches Debian's packages with package lists of our own and unpacks them: needs no root and installs nothing.
 * Two runs at once both fetch; the first to finish wins.
 */
async function unpackDebian(folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'redis-'))
  const settings = [
    `Dir::State=${work}/state`,
    `Dir::Cache=${work}/cache`,
    'Dir::State::status=/var/lib/dpkg/status',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
  ].flatMap((setting) => ['-o', setting])
  const apt = (...args: string[]) => run('apt-get', ['-q', '-y', ...settings, ...args])
  try {
    await mkdir(join(work, 'state/lists/partial'), { recursive: true })
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
    await apt('update')
    await apt('install', '--download-only', '--no-install-recommends', 'redis-server')
    for (const file of await find(join(work, 'cache/archives'), /\.deb$/))
      await run('dpkg-deb', ['-x', file, `${work}/root`])
    await mkdir(join(work, 'bin'))
    for (const library of await find(join(work, 'root'), /\.so\.[\d.]+$/)) {
      await copyFile(library, join(work, 'bin', basename(library)))
    }
    // One program under several names, of which the others are links: it looks at the name it was started by.
    const [program] = await find(join(work, 'root/usr/bin'), /^redis-(server|check-rdb)$/)
    if (!program) throw new Error('the packages hold no redis-server')
    await copyFile(program, join(work, 'bin/redis-server'))
    await rename(join(work, 'bin'), folder).catch(async (error: unknown) => {
      if (!(await executable(join(folder, 'redis-server')))) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  let last = ''
  const keep = (data: Buffer) => (last = data.toString().trim().split('\n').at(-1) || last)
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command}: ${last}`)
}

/** Files below a folder whose name matches, links among them. */
async function find(folder: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((e) => !e.isDirectory() && name.test(e.name)).map((e) => join(e.parentPath, e.name))
}

async function onPath(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      if (folder && (await executable(join(folder, name)))) return join(folder, name)
    }
  }
  return undefined
}

const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
