import { CacheError, systemClock } from '@flow-cache/core'
import { type Client, connect, gather, isCluster } from '../connection.js'
import { evaluate, untilReady } from '../link.js'
import type { RedisConnectionOptions } from '../options.js'
import type { Argument } from '../script-call.js'
import type { Script } from '../scripts.js'
import { ServerClock } from '../server-clock.js'

/** Asks the server, whenever it was reached anew, whether it can keep a journal, and sends scripts. */
export class JournalLink {
  readonly #client: Client
  readonly #keys: readonly string[]
  readonly #name: string
  readonly #time = new ServerClock(systemClock)
  readonly #silence: number
  /** Whether the server that is connected now is fit. */
  #checked: Promise<void> | undefined
  #lastError: unknown
  #closed = false

  /** `silence`: after how long without an answer the connection is taken for dead, in milliseconds. */
  constructor(to: RedisConnectionOptions, keys: readonly string[], name: string, silence: number) {
    this.#client = connect(to, { pipelined: true, silence })
    this.#client.on('error', (error: unknown) => (this.#lastError = error))
    this.#client.on('close', () => (this.#checked = undefined))
    this.#keys = keys
    this.#name = name
    this.#silence = silence
  }

  /** Resolves once the server is reached and fit; rejects while it is away, or if it is not. */
  open(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#isClosed())
    this.#checked ??= this.#check().catch((error: unknown) => {
      this.#checked = undefined
      throw this.#closed ? this.#isClosed() : error
    })
    return this.#checked
  }

  /** The instant, in microseconds on the server's clock, by which the connection is given up if there is no answer. */
  get deadline(): number {
    return Math.round((this.#time.now() + this.#silence) * 1_000)
  }

  /** `args` may be made once the server is reached. */
  async script(script: Script, given: readonly Argument[] | (() => readonly Argument[])): Promise<unknown> {
    await this.open()
    const args = typeof given === 'function' ? given() : given
    return this.#call(() => evaluate(this.#client, script, this.#keys, args))
  }

  async command(name: string, ...args: readonly Argument[]): Promise<unknown> {
    return this.#call(() =>
      (this.#client as { call(...words: Argument[]): Promise<unknown> }).call(name, ...args),
    )
  }

  close(): void {
    this.#closed = true
    this.#client.disconnect()
  }

  async #call<T>(send: () => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#isClosed()
    try {
      gather(this.#client)
      return await send()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async #check(): Promise<void> {
    try {
      await untilReady(this.#client)
    } catch (error) {
      throw this.#failed(this.#lastError ?? error)
    }
    const nodes = isCluster(this.#client) ? this.#client.nodes('master') : [this.#client]
    const sent = systemClock.now()
    const [seconds, micros] = (await this.#call(() => this.#client.time())).map(Number)
    this.#time.measure(seconds! * 1_000 + micros! / 1_000, sent)
    const memories = await this.#call(() => Promise.all(nodes.map((node) => node.info('memory'))))
    for (const memory of memories) {
      const limit = /^maxmemory:(\d+)/m.exec(memory)?.[1]
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]
      if (limit === '0' || policy === 'noeviction') continue
      throw new CacheError(
        'ERR_JOURNAL',
        `the Redis of journal ${this.#name} may evict what was accepted: maxmemory-policy is ${policy}, and must be noeviction`,
      )
    }
  }

  #failed(cause: unknown): CacheError {
    if (this.#closed) return this.#isClosed()
    return new CacheError(
      'ERR_JOURNAL',
      `the Redis of journal ${this.#name} failed: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }

  #isClosed(): CacheError {
    return new CacheError('ERR_CLOSED', 'the journal is closed')
  }
}
