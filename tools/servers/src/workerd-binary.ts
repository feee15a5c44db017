import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cache } from './debian.js'
import { executable, onPath } from './on-path.js'

const version = '1.20261117.1'

const advice =
  'These tests need workerd, the runtime of edge workers: put it on PATH, for example with `npm install --global workerd`.'

/** The program on PATH, or the one from npm, in a folder of this repository. Rejects with advice if neither works. */
export async function workerdBinary(): Promise<string> {
  const installed = await onPath('workerd')
  if (installed) return installed
  const path = join(cache, `workerd-${version}`)
  if (await executable(path)) return path
  try {
    await fetchTo(path)
  } catch (error) {
    throw new Error(`${advice} (Fetching it from npm failed: ${(error as Error).message})`, { cause: error })
  }
  return path
}

/** Not among the repository's dependencies: it is larger than all but a few of them, and two tests use it. */
async function fetchTo(path: string): Promise<void> {
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'workerd-'))
  try {
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock']
    await promisify(execFile)('npm', ['install', '--prefix', work, ...flags, `${name}@${version}`])
    // Two runs at once both fetch; either one's is as good.
    await rename(join(work, 'node_modules', name, 'bin/workerd'), path)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
