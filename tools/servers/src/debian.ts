import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where unpacked programs are kept. */
export const cache: string = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))

/**
 * Fetches Debian's packages with package lists of our own, unpacks them and hands over the folder, which is removed
 * afterwards: needs no root and installs nothing. Two runs at once both fetch; the first to finish wins.
 */
export async function unpackDebian(
  name: string,
  harvest: (root: string, work: string) => Promise<void>,
): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, `${name}-`))
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
    await apt('install', '--download-only', '--no-install-recommends', name)
    for (const file of await find(join(work, 'cache/archives'), /\.deb$/))
      await run('dpkg-deb', ['-x', file, `${work}/root`])
    await harvest(`${work}/root`, work)
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
export async function find(folder: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((e) => !e.isDirectory() && name.test(e.name)).map((e) => join(e.parentPath, e.name))
}
