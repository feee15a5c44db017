import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from './problem.js'

/** A Redis of the demo's own, which can be stopped and started to see what the cache makes of it. One after the other. */
export class OwnRedis implements AsyncDisposable {
  readonly url: string
  readonly #program: string
  readonly #env: Readonly<Record<string, string>>
  readonly #port: number
  #child: ChildProcess | undefined
  /** What was asked for last. */
  #last: Promise<void> = Promise.resolve()

  private constructor(program: string, env: Readonly<Record<string, string>>, port: number) {
    this.#program = program
    this.#env = env
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  /** Starts `program` on a free port of this machine, with `env` beside the usual. Without one it is a `Problem`. */
  static async start(
    program = 'redis-server',
    env: Readonly<Record<string, string>> = {},
  ): Promise<OwnRedis> {
    const redis = new OwnRedis(program, env, await freePort())
    await redis.start()
    return redis
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Starts it again, empty. Does nothing if it runs. */
  start(): Promise<void> {
    return this.#next(() => this.#start())
  }

  /** Ends it as a crash would. What it held is gone. */
  stop(): Promise<void> {
    return this.#next(() => this.#stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Does it once what was asked for before is done: two pages may ask at once. */
  #next(something: () => Promise<void>): Promise<void> {
    const done = this.#last.then(something)
    this.#last = done.catch(() => {})
    return done
  }

  async #start(): Promise<void> {
    if (this.#child !== undefined) return
    const args = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const child = spawn(this.#program, args, { stdio: 'ignore', env: { ...process.env, ...this.#env } })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', () =>
        reject(
          new Problem(
            `There is no ${this.#program} here. Install Redis, or leave "--redis start" out: it is not needed.`,
          ),
        ),
      )
      child.once('exit', (code) => {
        if (this.#child === child) this.#child = undefined
        reject(new Problem(`${this.#program} ended with ${code} before it answered.`))
      })
    })
    failed.catch(() => {})
    await Promise.race([this.#answers(), failed])
    this.#child = child
  }

  async #stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async #answers(): Promise<void> {
    for (;;) {
      const socket = connect(this.#port, '127.0.0.1')
      const open = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false)
      socket.destroy()
      if (open) return
      await pause(20)
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
