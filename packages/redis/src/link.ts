import { CacheError, type Clock } from '@flow-cache/core'
import { type Client, connect, gather, isCluster } from './connection.js'
import type { Layout } from './layout.js'
import type { RedisConnectionOptions } from './options.js'
import { type Argument, callScript } from './script-call.js'
import { type Script, status } from './scripts.js'
import { ServerClock } from './server-clock.js'
import { word } from './word.js'

/** Where the log stood. */
export interface Position {
  /** Names the data on the server: another one after a restart without a disk, or a flush. */
  readonly epoch: string
  /** How many changes were logged. */
  readonly changes: number
  /** How many of them invalidated tags. */
  readonly tagChanges: number
  /** The id of the last one in the stream. */
  readonly id: string
}

/** After how long without any answer the connection for commands is opened anew, in milliseconds. */
const silence = 2_000

/**
 * The connection for commands. Nothing is sent before the server has said where its log stands and what time it
 * is: what is learned from it later, the log can revoke.
 */
export class Link {
  readonly client: Client
  readonly clustered: boolean
  readonly time: ServerClock
  /** Where the log stood before anything was learned from the server. */
  begun: Position | undefined
  readonly #clock: Clock
  readonly #layout: Layout
  readonly #scripts: readonly Script[]
  #opening: Promise<void> | undefined
  #waiting = 0
  #lastError: unknown
  #closed = false

  constructor(to: RedisConnectionOptions, layout: Layout, clock: Clock, scripts: readonly Script[]) {
    this.#scripts = scripts
    this.client = connect(to, { pipelined: true, silence })
    this.client.on('error', (error: unknown) => (this.#lastError = error))
    this.time = new ServerClock(clock)
    this.client.on('ready', () => {
      this.#lastError = undefined
      this.time.forget()
    })
    this.clustered = isCluster(this.client)
    this.#clock = clock
    this.#layout = layout
    this.#open().catch(() => {})
  }

  /** Sends, once the server is known; rejects at once while there is no connection. */
  run<T>(send: () => Promise<T>): Promise<T> {
    // Nobody overtakes who waits.
    if (this.begun === undefined || this.#waiting > 0) return this.#wait().then(send)
    if (this.client.status !== 'ready') return Promise.reject(this.#away())
    gather(this.client)
    return send()
  }

  /** Runs a script, and loads it where the server does not know it (any more). */
  script(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.run(() => evaluate(this.client, script, keys, args))
  }

  /** Asks where the log stands and what time it is. */
  async status(client: Client): Promise<Position> {
    const sent = this.#clock.now()
    const { meta, log } = this.#layout
    const answer = (await evaluate(client, status, [meta, log], [word()])) as Buffer[]
    const [epoch, changes, tagChanges, id, seconds, micros] = answer.map(String)
    this.time.measure(Number(seconds) * 1_000 + Number(micros) / 1_000, sent)
    return { epoch: epoch!, changes: Number(changes), tagChanges: Number(tagChanges), id: id! }
  }

  close(): void {
    this.#closed = true
    this.client.disconnect()
  }

  async #wait(): Promise<void> {
    this.#waiting++
    try {
      await this.#open()
    } finally {
      this.#waiting--
    }
  }

  #open(): Promise<void> {
    this.#opening ??= this.#begin().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #begin(): Promise<void> {
    await untilReady(this.client).catch(() => {
      throw this.#away()
    })
    // The scripts first: who asks with one that is not known asks twice, and the server's time is told by how long that takes.
    await this.#loadScripts()
    this.begun = await this.status(this.client)
  }

  /** So that the first calls need not bring them along. Who may not, does without. */
  async #loadScripts(): Promise<void> {
    const { client } = this
    const nodes = isCluster(client) ? client.nodes('master') : [client]
    await Promise.allSettled(
      nodes.flatMap((node) => this.#scripts.map(({ lua }) => node.script('LOAD', lua))),
    )
  }

  #away(): CacheError {
    if (this.#closed) return new CacheError('ERR_CLOSED', 'the store is closed')
    const cause = this.#lastError
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    return new CacheError('ERR_STORE', `there is no connection to Redis (${this.client.status})${why}`, {
      cause,
    })
  }
}

/** Resolves when the connection can be used; rejects when it is lost, or being waited for to be tried again. */
export function untilReady(client: Client): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  if (client.status === 'reconnecting' || client.status === 'end')
    return Promise.reject(new Error(client.status))
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      client.off('ready', ready)
      client.off('close', lost)
      client.off('end', lost)
    }
    const ready = (): void => {
      stop()
      resolve()
    }
    const lost = (): void => {
      stop()
      reject(new Error('the connection closed'))
    }
    client.on('ready', ready)
    client.on('close', lost)
    client.on('end', lost)
  })
}

/** What ioredis has and does not declare. */
interface Scripting {
  evalshaBuffer(sha: string, keys: number, ...rest: readonly Argument[]): Promise<unknown>
  evalBuffer(lua: string, keys: number, ...rest: readonly Argument[]): Promise<unknown>
}

/** Runs a script on a client. Keys and numbers as text; answers with bytes where Redis answers with text. */
export async function evaluate(
  client: Client,
  { sha, lua }: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const scripting = client as unknown as Scripting
  try {
    if (!isCluster(client)) return await callScript(client, sha, keys, args)
    return await scripting.evalshaBuffer(sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
    return scripting.evalBuffer(lua, keys.length, ...keys, ...args)
  }
}
