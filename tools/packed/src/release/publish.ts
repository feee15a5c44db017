import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../repository.js'

/**
 * Publishes what the registry does not have, and tags it. Provenance is asked for by the name that pnpm 12 reads: it
 * passes over npm's own, and over `publishConfig.provenance`.
 */
export async function publish(): Promise<void> {
  const child = spawn('pnpm', ['changeset', 'publish'], {
    cwd: root,
    env: { ...process.env, pnpm_config_provenance: 'true' },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return
  process.stderr.write(
    '✗ Not everything was published. What was stays; running this again publishes the rest.\n',
  )
  process.exitCode = 1
}
