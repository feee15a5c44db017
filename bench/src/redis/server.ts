import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'

/** A server of this benchmark's own, on a loopback port. */
export interface Server extends AsyncDisposable {
  readonly url: string
}

const unpacked = fileURLToPath(new URL('../../../node_modules/.cache/redis-server/', import.meta.url))

/**
 * The one that the tests unpacked, or the one on PATH. `tools/servers` is for vitest, which runs its TypeScript. It
 * keeps nothing on disk, or in `folder`, synced as `appendfsync` says.
 */
export async function startServer(disk?: {
  readonly folder: string
  readonly appendfsync: 'always' | 'everysec'
}): Promise<Server> {
  const [program, env] = existsSync(`${unpacked}redis-server`)
    ? [`${unpacked}redis-server`, { ...process.env, LD_LIBRARY_PATH: unpacked }]
    : ['redis-server', process.env]
  const port = await freePort()
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '']
  if (disk === undefined) own.push('--appendonly', 'no')
  else own.push('--appendonly', 'yes', '--dir', disk.folder, '--appendfsync', disk.appendfsync)
  const child = spawn(program, own, { env, stdio: 'ignore', cwd: '/' })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
  })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const url = `redis://127.0.0.1:${port}`
  await Promise.race([failed, answers(url)])
  failed.catch(() => {})
  return {
    url,
    async [Symbol.asyncDispose]() {
      process.off('exit', end)
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.ping()
      return
    } catch (error) {
      if (attempt === 100) throw error
      await pause(50)
    } finally {
      client.disconnect()
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
