import { copyFile, mkdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cache, find, unpackDebian } from './debian.js'
import { executable, onPath } from './on-path.js'

/** How to run a Redis server on this machine. */
export interface RedisBinary {
  readonly path: string
  /** What the environment must hold beside the usual. */
  readonly env: Readonly<Record<string, string>>
}

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
    await unpackDebian('redis-server', (root, work) => collect(root, work, folder))
  } catch (error) {
    throw new Error(`${advice} (Fetching Debian's package failed: ${(error as Error).message})`, {
      cause: error,
    })
  }
  return unpacked
}

/** The program and the libraries it came with, in one folder. */
async function collect(root: string, work: string, folder: string): Promise<void> {
  await mkdir(join(work, 'bin'))
  for (const library of await find(root, /\.so\.[\d.]+$/)) {
    await copyFile(library, join(work, 'bin', basename(library)))
  }
  // One program under several names, of which the others are links: it looks at the name it was started by.
  const [program] = await find(join(root, 'usr/bin'), /^redis-(server|check-rdb)$/)
  if (!program) throw new Error('the packages hold no redis-server')
  await copyFile(program, join(work, 'bin/redis-server'))
  await rename(join(work, 'bin'), folder).catch(async (error: unknown) => {
    if (!(await executable(join(folder, 'redis-server')))) throw error
  })
}
