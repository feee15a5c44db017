import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { packAll } from './pack.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that holds the tarballs, and everything else that a run makes. */
    readonly folder: string
  }
}

/** Packs every package once for a whole run, and removes what the run made. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-packed-'))
  await packAll(folder)
  provide('folder', folder)
  return () => rm(folder, { recursive: true, force: true })
}
