import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@flow-cache/servers'
import type { Runtime } from './runtime.js'

/**
 * Serves one bundled module in workerd, with none of Node's modules at hand, and resolves to what it answers. The server
 * has ended by then.
 */
export async function askWorker(workerd: Runtime, folder: string, module: string): Promise<Response> {
  const port = await freePort()
  await writeFile(join(folder, 'worker.capnp'), config(module, port))
  const child = spawn(workerd.path, ['serve', 'worker.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'close')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece))
  try {
    for (let tries = 0; child.exitCode === null && tries < 200; tries++) {
      const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
      if (answer !== undefined) return new Response(await answer.text(), answer)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`workerd does not answer:\n${said}`)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

const config = (module: string, port: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "${module}")],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`
