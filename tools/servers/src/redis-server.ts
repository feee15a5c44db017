import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './certificate.js'
import { freePort } from './free-port.js'
import { type Guard, guardOf } from './guard.js'
import { type RedisBinary, redisBinary } from './redis-binary.js'
import { type RedisProcess, startProcess } from './redis-process.js'

/** A Redis server of one's own, on a loopback port; empty and keeping nothing on disk, if not told otherwise. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Present if it was started with `tls`. */
  readonly tls: RedisTls | undefined
  /** The process that runs now, or ran last. */
  readonly pid: number
  /** Keeps its connections and stops answering, as a hung server does. */
  pause(): void
  resume(): void
  /** Dies without a word to anybody. `restart` brings it back. */
  kill(): Promise<void>
  /** Starts it again on the same ports, with what it kept on disk. One that runs is ended in order before. */
  restart(options?: RestartOptions): Promise<void>
  /** Ends it in order and removes what it kept, except a `dir` that was given. It may be paused or dead already. */
  stop(): Promise<void>
}

/** How to reach a server over TLS. */
export interface RedisTls {
  readonly port: number
  readonly url: string
  /** The certificate that it shows, in PEM, for `127.0.0.1` and `localhost`. Nobody else has signed it. */
  readonly ca: string
}

export interface RestartOptions {
  /** Whether it forgets what it kept on disk: its data, and who it is in a Cluster. Default: `false`. */
  readonly empty?: boolean
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Further arguments of `redis-server`; the later wins. */
  readonly args?: readonly string[]
  /** Whether every write is on disk before it is answered. Default: `false`, and nothing ever is. */
  readonly persistent?: boolean
  /** A folder for its data, made if it is not there. Default: one of its own, which `stop` removes. */
  readonly dir?: string
  /** Whether it listens on a second port, with TLS and a certificate made for it. Default: `false`. */
  readonly tls?: boolean
  /** Lines of a configuration file, with which it is a Sentinel. */
  readonly sentinel?: readonly string[]
  /** The program to run, Valkey for example. Default: what `redisBinary` finds. */
  readonly binary?: string
}

/** Resolves once the server answers. It ends with this process, however that ends. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { port, binary } = options
  const program = binary === undefined ? await redisBinary() : { path: binary, env: {} }
  // Between finding a free port and binding to it somebody else may take it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(program, port ?? (await freePort()), options)
    } catch (error) {
      if (port !== undefined || attempt === 3) throw error
    }
  }
}

async function start(
  binary: RedisBinary,
  port: number,
  { args = [], persistent = false, dir, tls = false, sentinel }: RedisServerOptions,
): Promise<RedisServer> {
  const secure = tls ? { port: await freePort(), ...(await selfSigned()) } : undefined
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-redis-'))
  const data = dir ?? join(folder, 'data')
  const [cert, key, configuration] = [join(folder, 'cert'), join(folder, 'key'), join(data, 'sentinel.conf')]

  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', data]
  if (sentinel !== undefined) own.unshift(configuration, '--sentinel')
  else if (persistent) own.push('--save', '', '--appendonly', 'yes', '--appendfsync', 'always')
  else own.push('--save', '', '--appendonly', 'no')
  if (secure !== undefined) {
    own.push('--tls-port', String(secure.port), '--tls-auth-clients', 'no')
    own.push('--tls-cert-file', cert, '--tls-key-file', key)
  }

  let guard: Guard | undefined
  let running: RedisProcess | undefined

  async function begin(): Promise<void> {
    guard ??= guardOf(folder)
    for (const path of [folder, data]) await mkdir(path, { recursive: true })
    // A Sentinel writes what it learns into its configuration, and reads it again.
    if (sentinel !== undefined && !(await exists(configuration))) {
      await writeFile(configuration, `${sentinel.join('\n')}\n`)
    }
    if (secure !== undefined) {
      await writeFile(cert, secure.cert)
      await writeFile(key, secure.key)
    }
    running = await startProcess(binary, [...own, ...args], folder, guard)
  }
  async function stop(): Promise<void> {
    await running?.end('SIGTERM')
    guard?.dismiss()
    guard = undefined
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await begin()
  } catch (error) {
    await stop()
    throw error
  }
  const current = (): RedisProcess => running as RedisProcess
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    tls: secure && { port: secure.port, url: `rediss://127.0.0.1:${secure.port}`, ca: secure.cert },
    get pid() {
      return current().pid
    },
    pause: () => current().signal('SIGSTOP'),
    resume: () => current().signal('SIGCONT'),
    kill: () => current().end('SIGKILL'),
    async restart({ empty = false } = {}) {
      await current().end('SIGTERM')
      if (empty) await clear(data)
      await begin()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Removes what is in a folder, and leaves the folder. */
async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    await rm(join(folder, name), { recursive: true })
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
