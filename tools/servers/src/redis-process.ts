import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Guard } from './guard.js'
import { ping } from './ping.js'
import type { RedisBinary } from './redis-binary.js'

/** A Redis server that runs, until it has ended. */
export interface RedisProcess {
  readonly pid: number
  signal(signal: NodeJS.Signals): void
  /** Resolves once it has ended. It may be paused, or have ended already. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** Resolves once it answers. `folder` gets its log; `guard` watches it. */
export async function startProcess(
  binary: RedisBinary,
  args: readonly string[],
  folder: string,
  guard: Guard,
): Promise<RedisProcess> {
  const log = openSync(join(folder, 'log'), 'w')
  // At the port somebody else's server might answer.
  const path = join(folder, 'socket')
  const server = spawn(binary.path, [...args, '--unixsocket', path], {
    env: { ...process.env, ...binary.env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = new Promise<void>((resolve) => {
    const done = (): void => {
      guard.watch(undefined)
      resolve()
    }
    server.once('exit', done).once('error', done)
  })
  const ended = (): boolean =>
    server.exitCode !== null || server.signalCode !== null || server.pid === undefined
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (ended()) return
    server.ref()
    server.kill(signal)
    server.kill('SIGCONT')
    await exited
  }

  if (server.pid !== undefined) guard.watch(server.pid)
  const deadline = performance.now() + 20_000
  while (!(await ping({ path }))) {
    if (ended() || performance.now() > deadline) {
      await end('SIGKILL')
      const output = await readFile(join(folder, 'log'), 'utf8')
      throw new Error(`${binary.path} ${args.join(' ')} did not start:\n${output}`)
    }
    await sleep(5)
  }
  // It holds no process open that is otherwise done.
  server.unref()
  return { pid: server.pid as number, signal: (signal) => void server.kill(signal), end }
}
