import { CacheError, type Change, type Clock, type Log, type LogListener } from '@flow-cache/core'
import { type Client, connect } from './connection.js'
import { type Layout, unescapeKey } from './layout.js'
import { type Link, type Position, untilReady } from './link.js'
import type { RedisConnectionOptions } from './options.js'

/** How many changes are read at once. */
const most = 1_000

/** The pause before a failed connection is looked at again, in milliseconds. */
const pause = 50

/** What a {@link ChangeLog} needs to know. */
export interface ChangeLogOptions {
  readonly to: RedisConnectionOptions
  readonly layout: Layout
  readonly clock: Clock
  /** Who we are: our own changes are not told. */
  readonly me: string
  /** How long a read waits for news, in milliseconds; an answer without any shows that the line is alive. */
  readonly heartbeat: number
  readonly maxBlindness: number
}

/**
 * Follows the stream of changes over a connection of its own, from where it stood before anything was learned from
 * the server. After a lost connection it reads on from the last id. Every change has a number: where one is missing,
 * or the data on the server has another epoch, what was missed cannot be known, and everything is said to be lost.
 */
export class ChangeLog implements Log {
  readonly #options: ChangeLogOptions
  readonly #link: Link
  readonly #listeners = new Set<LogListener>()
  #client: Client | undefined
  /** Up to where it was read. */
  #read: Position | undefined
  /** How many changes the server had when it was last asked. */
  #announced = 0
  /** Where it stood when it had been read to its end; `undefined` while it is not followed. */
  #caughtUp: Position | undefined
  /** The number of the last change of tags that this process made. */
  #tagChanges = 0
  #heardAt = 0
  #blind = false
  #isRefused = false
  #blindTimer: unknown
  /** Names the loop at work, so that one that was stopped knows. */
  #loop: object | undefined

  constructor(link: Link, options: ChangeLogOptions) {
    this.#link = link
    this.#options = options
  }

  follow(listener: LogListener): () => void {
    this.#listeners.add(listener)
    if (this.#loop === undefined) {
      this.#loop = {}
      this.#heardAt = this.#options.clock.now()
      this.#watch()
      void this.#listen(this.#loop)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.stop()
    }
  }

  /** Where the log stood when it was last read to its end, if that is known and holds this process's own changes. */
  get position(): Position | undefined {
    return this.#caughtUp !== undefined && this.#caughtUp.tagChanges >= this.#tagChanges
      ? this.#caughtUp
      : undefined
  }

  /** This process has invalidated tags, as the change with this number. */
  tagsChanged(count: number): void {
    this.#tagChanges = Math.max(this.#tagChanges, count)
  }

  stop(): void {
    this.#loop = undefined
    this.#caughtUp = undefined
    this.#options.clock.clearTimer(this.#blindTimer)
    this.#client?.disconnect()
    this.#client = undefined
  }

  async #listen(loop: object): Promise<void> {
    const { clock, to, heartbeat } = this.#options
    while (this.#loop === loop) {
      try {
        await this.#link.run(() => Promise.resolve())
        if (this.#loop !== loop) return
        this.#read ??= this.#link.begun
        this.#client ??= connect(to, { pipelined: false, silence: heartbeat + 1_000 })
        await untilReady(this.#client)
        await this.#beat(this.#client, loop)
      } catch (error) {
        if (this.#loop !== loop) return
        // A server that answers, and says no: it may never be different.
        if ((error as Error).name === 'ReplyError') this.#refused(error)
        await new Promise<void>((resolve) => clock.setTimer(resolve, pause, false))
      }
    }
  }

  /** Reads what is new, or waits for it, and checks that nothing is missing. */
  async #beat(client: Client, loop: object): Promise<void> {
    const { layout, heartbeat } = this.#options
    const read = this.#read!
    const answer = (await client.xread('COUNT', most, 'BLOCK', heartbeat, 'STREAMS', layout.log, read.id)) as
      readonly [string, readonly (readonly [id: string, fields: readonly string[]])[]][] | null
    if (this.#loop !== loop) return
    const news = answer?.[0]?.[1] ?? []
    for (const [id, fields] of news) this.#take(id, fields)
    // The server had more when it was asked, and has nothing after what was read last.
    const missing = news.length === 0 && this.#read!.changes < this.#announced
    const status = await this.#link.status(client)
    if (this.#loop !== loop) return
    const { epoch, changes } = this.#read!
    if (missing || status.epoch !== epoch || status.changes < changes) {
      this.#read = status
      this.#tagChanges = 0
      this.#tell((listener) => listener.lost())
    }
    this.#announced = status.changes
    if (status.changes !== this.#read!.changes) return
    this.#read = { ...this.#read!, tagChanges: status.tagChanges }
    this.#caughtUp = this.#read
    this.#heard()
  }

  #take(id: string, fields: readonly string[]): void {
    const read = this.#read!
    const [, number, , sender, kind, name, , version] = fields
    const changes = Number(number)
    this.#read = { ...read, id, changes }
    if (changes !== read.changes + 1) this.#tell((listener) => listener.lost())
    if (sender === this.#options.me || name === undefined) return
    const change = changeOf(kind!, unescapeKey(name), version)
    this.#tell((listener) => listener.changed(change))
  }

  #tell(how: (listener: LogListener) => void): void {
    for (const listener of this.#listeners) how(listener)
  }

  #refused(error: unknown): void {
    if (this.#isRefused) return
    this.#isRefused = true
    const cause = error as Error
    const message = `the log of changes cannot be read: ${cause.message}`
    this.#tell((listener) => listener.failed?.(new CacheError('ERR_STORE', message, { cause })))
    if (this.#blind) return
    this.#blind = true
    this.#tell((listener) => listener.blind?.(true))
  }

  #heard(): void {
    this.#isRefused = false
    this.#heardAt = this.#options.clock.now()
    if (!this.#blind) return
    this.#blind = false
    this.#tell((listener) => listener.blind?.(false))
    this.#watch()
  }

  /** Notices when there was no news for too long. */
  #watch(): void {
    const { clock, maxBlindness } = this.#options
    if (maxBlindness === Infinity) return
    const left = this.#heardAt + maxBlindness - clock.now()
    if (left > 0) {
      this.#blindTimer = clock.setTimer(() => this.#watch(), left, false)
      return
    }
    this.#blind = true
    this.#tell((listener) => listener.blind?.(true))
  }
}

function changeOf(kind: string, name: string, version: string | undefined): Change {
  if (kind === 'k') return { kind: 'key', key: name }
  return kind === 't' ? { kind: 'tag', tag: name, version } : { kind: 'clear', prefix: name }
}
