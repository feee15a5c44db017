import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cache, find, unpackDebian } from './debian.js'
import { executable, onPath } from './on-path.js'

/** How to run Chromium on this machine. */
export interface Chromium {
  readonly path: string
  /** What the environment must hold beside the usual. */
  readonly env: Readonly<Record<string, string>>
  /** For a browser without a display, a sandbox or a network. */
  readonly args: readonly string[]
}

const advice =
  'These tests need Chromium: put chromium on PATH, for example with `apt-get install chromium` or `brew install chromium`.'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/** The browser on PATH, or Debian's, unpacked into a folder of this repository. Rejects with advice if neither works. */
export async function chromium(): Promise<Chromium> {
  const installed = await onPath('chromium', 'chromium-browser', 'google-chrome')
  if (installed) return { path: installed, env: {}, args }
  const root = join(cache, 'chromium')
  const path = join(root, 'usr/lib/chromium/chromium')
  if (!(await executable(path))) {
    if (!(await onPath('apt-get')) || !(await onPath('dpkg-deb'))) throw new Error(advice)
    try {
      await unpackDebian('chromium', async (from) => {
        await rename(from, root).catch(async (error: unknown) => {
          if (!(await executable(path))) throw error
        })
      })
    } catch (error) {
      throw new Error(`${advice} (Fetching Debian's package failed: ${(error as Error).message})`, {
        cause: error,
      })
    }
  }
  const libraries = new Set((await find(root, /\.so(\.[\d.]+)?$/)).map((file) => dirname(file)))
  return { path, env: { LD_LIBRARY_PATH: [...libraries].join(':') }, args }
}
