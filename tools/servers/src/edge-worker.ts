import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { build } from 'esbuild'
import { guardOf } from './guard.js'
import { workerdBinary } from './workerd-binary.js'

/** A worker that runs in workerd, the runtime of Cloudflare Workers, on a free port of this machine. */
export interface EdgeWorker extends AsyncDisposable {
  readonly url: string
  /** What it has written so far, errors among it. */
  readonly output: string
  /** Ends it and removes what it kept. */
  stop(): Promise<void>
}

/**
 * Bundles the module and resolves once it takes requests. `bindings` are the texts it finds in `env`. It may reach
 * servers of this machine; it ends with this process, however that ends.
 */
export async function startEdgeWorker(
  module: string,
  bindings: Readonly<Record<string, string>> = {},
): Promise<EdgeWorker> {
  const binary = await workerdBinary()
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-worker-'))
  const guard = guardOf(folder)
  const stop = async (): Promise<void> => {
    guard.dismiss()
    await rm(folder, { recursive: true, force: true })
  }
  let child: ChildProcess
  try {
    await build({
      entryPoints: [module],
      outfile: join(folder, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      conditions: ['@flow-cache/source', 'workerd', 'worker'],
      logLevel: 'silent',
    })
    await writeFile(join(folder, 'config.capnp'), configOf(bindings))
    child = spawn(binary, ['serve', 'config.capnp', '--control-fd=3'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
  } catch (error) {
    await stop()
    throw error
  }
  let output = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<void>((resolve) => {
    child
      .once('close', () => resolve())
      .once('error', (error) => {
        output += error.message
        resolve()
      })
  })
  guard.watch(child.pid)
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    guard.watch(undefined)
    await stop()
  }
  const port = await Promise.race([portFrom(child.stdio[3] as Readable), ended])
  if (port === undefined) {
    await end()
    throw new Error(`the worker ${module} did not start:\n${output}`)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    get output() {
      return output
    },
    stop: end,
    [Symbol.asyncDispose]: end,
  }
}

/** What workerd tells on its control descriptor once it listens. */
async function portFrom(lines: Readable): Promise<number | undefined> {
  for await (const line of createInterface({ input: lines })) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number }
    if (event === 'listen') return port
  }
  return undefined
}

const configOf = (bindings: Readonly<Record<string, string>>): string => `
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-06-01",
      bindings = [${Object.entries(bindings)
        .map(([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`)
        .join(', ')}],
    )),
    (name = "internet", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`
