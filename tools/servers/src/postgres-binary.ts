import { readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cache, find, unpackDebian } from './debian.js'
import { executable, onPath } from './on-path.js'

/** How to run PostgreSQL on this machine. */
export interface PostgresBinary {
  /** The folder with `initdb` and `postgres`. */
  readonly folder: string
  /** What the environment must hold beside the usual. */
  readonly env: Readonly<Record<string, string>>
}

const advice =
  'These tests need a PostgreSQL server: put initdb and postgres on PATH, ' +
  'for example with `apt-get install postgresql` or `brew install postgresql`.'

/** Where Debian keeps them, off the PATH. */
const debian = '/usr/lib/postgresql'

/** The programs on PATH, where Debian puts them, or unpacked into a folder of this repository. Rejects with advice. */
export async function postgresBinary(): Promise<PostgresBinary> {
  const [initdb, postgres] = [await onPath('initdb'), await onPath('postgres')]
  if (initdb && postgres && dirname(initdb) === dirname(postgres)) return { folder: dirname(initdb), env: {} }
  const there = await newest(debian)
  if (there) return { folder: there, env: {} }
  const root = join(cache, 'postgresql')
  const unpacked = await newest(join(root, debian))
  if (unpacked) return { folder: unpacked, env: await libraries(root) }
  if (!(await onPath('apt-get')) || !(await onPath('dpkg-deb'))) throw new Error(advice)
  try {
    await unpackDebian('postgresql', async (from) => {
      if (!(await newest(join(from, debian)))) throw new Error('the packages hold no server')
      await rename(from, root).catch(async (error: unknown) => {
        if (!(await newest(join(root, debian)))) throw error
      })
    })
  } catch (error) {
    throw new Error(`${advice} (Fetching Debian's package failed: ${(error as Error).message})`, {
      cause: error,
    })
  }
  const folder = (await newest(join(root, debian))) as string
  return { folder, env: await libraries(root) }
}

/** The programs' folder of the newest version below. */
async function newest(parent: string): Promise<string | undefined> {
  const versions = await readdir(parent).catch(() => [])
  for (const version of versions.toSorted((a, b) => Number(b) - Number(a))) {
    const folder = join(parent, version, 'bin')
    if ((await executable(join(folder, 'initdb'))) && (await executable(join(folder, 'postgres'))))
      return folder
  }
  return undefined
}

async function libraries(root: string): Promise<Record<string, string>> {
  const folders = new Set(
    (await find(join(root, 'usr/lib'), /\.so\.[\d.]+$/)).map((file) => join(file, '..')),
  )
  return { LD_LIBRARY_PATH: [...folders].join(':') }
}
