import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.js'
import { guardOf } from './guard.js'
import { onPath } from './on-path.js'
import { type PostgresBinary, postgresBinary } from './postgres-binary.js'

/** A PostgreSQL server of one's own, on a free port of this machine, empty. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number
  /** For any client. The user may do everything, and needs no password. */
  readonly url: string
  readonly pid: number
  /** Ends it and removes what it kept. */
  stop(): Promise<void>
}

/** Debian's `nobody`: PostgreSQL refuses to run as root. */
const nobody = 65_534

/** Resolves once the server answers. It ends with this process, however that ends, and keeps nothing. */
export async function startPostgres(): Promise<PostgresServer> {
  const binary = await postgresBinary()
  // Between finding a free port and binding to it somebody else may take it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(binary, await freePort())
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function start({ folder: programs, env }: PostgresBinary, port: number): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-postgres-'))
  const guard = guardOf(folder)
  const data = join(folder, 'data')
  const log = join(folder, 'log')
  const isRoot = process.getuid?.() === 0
  const stop = async (): Promise<void> => {
    guard.dismiss()
    await rm(folder, { recursive: true, force: true })
  }

  /** A program of PostgreSQL, and what resolves when it has ended. */
  const run = async (program: string, args: readonly string[]) => {
    const command = [join(programs, program), ...args]
    if (isRoot) command.unshift(...(await asNobody()))
    const output = openSync(log, 'a')
    const child = spawn(command[0]!, command.slice(1), {
      cwd: folder,
      env: { ...process.env, ...env, LC_ALL: 'C' },
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    const ended = new Promise<number | null>((resolve) => {
      child.once('exit', resolve).once('error', () => resolve(-1))
    })
    return { child, ended }
  }
  const failed = async (what: string): Promise<Error> =>
    new Error(`${join(programs, what)} failed:\n${await readFile(log, 'utf8').catch(() => 'no output')}`)

  try {
    await mkdir(data, { mode: 0o700 })
    if (isRoot) {
      await chmod(folder, 0o755)
      await chown(data, nobody, nobody)
    }
    const init = await run('initdb', [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
      '--no-locale',
    ])
    if ((await init.ended) !== 0) throw await failed('initdb')

    const settings = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_connections=50']
    const { child, ended } = await run('postgres', [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      data,
      ...settings.flatMap((setting) => ['-c', setting]),
    ])
    guard.watch(child.pid)
    const isOver = (): boolean =>
      child.exitCode !== null || child.signalCode !== null || child.pid === undefined
    const end = async (): Promise<void> => {
      child.ref()
      // At once, without waiting for clients.
      if (!isOver()) child.kill('SIGQUIT')
      await ended
      guard.watch(undefined)
      await stop()
    }
    const deadline = performance.now() + 60_000
    while (!(await answers(port)) || isOver()) {
      if (isOver() || performance.now() > deadline) {
        const error = await failed('postgres')
        await end()
        throw error
      }
      await sleep(20)
    }
    child.unref()
    return {
      port,
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      pid: child.pid as number,
      stop: end,
      [Symbol.asyncDispose]: end,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What runs a program as somebody who is not root. */
async function asNobody(): Promise<readonly string[]> {
  const setpriv = await onPath('setpriv')
  if (setpriv === undefined) {
    throw new Error(
      'PostgreSQL does not run as root: run the tests as another user, or install setpriv (util-linux).',
    )
  }
  return [setpriv, `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--']
}

/** Whether it takes a session: one that is starting says no and closes the line. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (ready: boolean): void => {
      socket.destroy()
      resolve(ready)
    }
    socket.once('error', () => done(false)).once('close', () => resolve(false))
    // A start-up message of protocol 3.0; `R` is the beginning of a welcome, `E` of an error.
    socket.once('data', (answer) => done(answer[0] === 'R'.charCodeAt(0)))
    const body = Buffer.from('user\0postgres\0database\0postgres\0\0')
    const head = Buffer.alloc(8)
    head.writeInt32BE(body.length + 8, 0)
    head.writeInt32BE(196_608, 4)
    socket.once('connect', () => socket.write(Buffer.concat([head, body])))
  })
}
