import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.js'
import { ping } from './ping.js'
import { redisBinary } from './redis-binary.js'

/** A Redis server of one's own, on a loopback port, empty and keeping nothing on disk. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Keeps its connections and stops answering, as a hung server does. */
  pause(): void
  resume(): void
  /** Dies without a word to anybody. Start another on the same `port` to bring it back, empty. */
  kill(): Promise<void>
  /** Ends it in order. It may be paused or dead already. */
  stop(): Promise<void>
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Further arguments of `redis-server`; the later wins. */
  readonly args?: readonly string[]
  /** Lines of a configuration file, with which it is a Sentinel. */
  readonly sentinel?: readonly string[]
}

/** Resolves once the server answers. It ends with this process, however that ends. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { port } = options
  const binary = await redisBinary()
  // Between finding a free port and binding to it somebody else may take it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(binary.path, { ...process.env, ...binary.env }, port ?? (await freePort()), options)
    } catch (error) {
      if (port !== undefined || attempt === 3) throw error
    }
  }
}

async function start(
  path: string,
  env: NodeJS.ProcessEnv,
  port: number,
  { args = [], sentinel }: RedisServerOptions,
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-redis-'))
  const log = openSync(join(folder, 'log'), 'w')
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  if (sentinel === undefined) own.push('--save', '', '--appendonly', 'no')
  else {
    // A Sentinel writes what it learns into its configuration.
    const file = join(folder, 'sentinel.conf')
    await writeFile(file, `${sentinel.join('\n')}\n`)
    own.unshift(file, '--sentinel')
  }
  const server = spawn(path, [...own, ...args], { env, stdio: ['ignore', log, log] })
  closeSync(log)
  const exited = new Promise<void>((resolve) =>
    server.once('exit', () => resolve()).once('error', () => resolve()),
  )
  const guard = guardOf(server, folder)

  async function end(signal: NodeJS.Signals): Promise<void> {
    server.ref()
    server.kill(signal)
    server.kill('SIGCONT')
    await exited
    guard.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }

  const deadline = performance.now() + 10_000
  while (!(await ping(port))) {
    if (server.exitCode !== null || server.pid === undefined || performance.now() > deadline) {
      const output = await readFile(join(folder, 'log'), 'utf8')
      await end('SIGKILL')
      throw new Error(`redis-server did not start on port ${port}:\n${output}`)
    }
    await sleep(5)
  }
  // It holds no process open that is otherwise done.
  server.unref()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid as number,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/**
 * Waits for the end of this process, which it sees by its input ending, and takes the server along.
 * In a group of its own, so that a signal to ours leaves it to do its work.
 */
function guardOf(server: ChildProcess, folder: string): ChildProcess {
  const script = 'read -r _; kill -9 "$1"; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'sh', String(server.pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return guard
}
