import { CacheError, type Clock } from '@flow-cache/core'
import type { Layout } from './layout.js'
import type { Link } from './link.js'
import type { Argument } from './script-call.js'
import type { Script } from './scripts.js'
import type { Turn } from './turn.js'
import { word } from './word.js'

/** Who calls, and what calls are made over. */
interface Calling {
  readonly link: Link
  readonly layout: Layout
  readonly turn: Turn
  readonly clock: Clock
  /** How long `close` waits for calls under way, in milliseconds. */
  readonly timeout: () => number
  /** The name of this process in the log. */
  readonly me: string
  readonly logLength: number
}

/** The calls of one store to its server: counted, so that `close` can wait for them, and their failures told in our words. */
export class Calls {
  readonly #of: Calling
  #pending = 0
  #idle: (() => void) | undefined
  #closed = false

  constructor(of: Calling) {
    this.#of = of
  }

  /** One call to the server. */
  make<T>(send: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new CacheError('ERR_CLOSED', 'the store is closed'))
    this.#pending++
    let sent: Promise<T>
    try {
      sent = this.#of.link.run(send)
    } catch (error) {
      // A value that cannot be encoded.
      this.#ended()
      return Promise.reject(error)
    }
    return sent.then(
      (answer) => {
        this.#ended()
        return answer
      },
      (error: unknown) => {
        this.#ended()
        throw inOurWords(error)
      },
    )
  }

  #ended(): void {
    if (--this.#pending === 0) this.#idle?.()
  }

  /** A script, after what was asked before it in this turn. */
  script(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    this.#of.turn.flush()
    return this.make(() => this.#of.link.script(script, keys, args)).catch((error: unknown) =>
      this.mend(error),
    )
  }

  /**
   * A script that has to do with the log failed. If something else lies where the log, its counters or a tag's marker
   * are to be, it goes: a new epoch begins, and everybody takes it that changes were missed.
   */
  async mend(error: unknown): Promise<never> {
    if ((error as CacheError).code !== 'ERR_POISONED') throw error
    const { meta, log, tags } = this.#of.layout
    const { client } = this.#of.link
    const types = await Promise.all([client.type(meta), client.type(log)]).catch(() => [])
    const wrong = [meta, log].filter((_, i) => types[i] !== ['hash', 'stream'][i])
    if (types.length > 0) await this.unlink(wrong.length > 0 ? [meta, log] : []).catch(() => {})
    throw new CacheError(
      'ERR_STORE',
      `something else lay under ${wrong.join(' and ') || `a key that begins with ${tags}`}, which is this cache's own`,
      { cause: error },
    )
  }

  /** Who writes to the log, how long it is kept, and a word for a new epoch. */
  signature(): readonly [string, number, string] {
    return [this.#of.me, this.#of.logLength, word()]
  }

  async unlink(redisKeys: readonly string[]): Promise<void> {
    if (redisKeys.length === 0) return
    const { client, clustered } = this.#of.link
    if (clustered) await this.make(() => Promise.all(redisKeys.map((redisKey) => client.unlink(redisKey))))
    else await this.make(() => client.unlink(...redisKeys))
  }

  /** Sends what was asked, waits for it, and takes no more. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return
    const { turn, link, clock, timeout } = this.#of
    turn.flush()
    this.#closed = true
    if (this.#pending > 0) {
      let timer: unknown
      await new Promise<void>((resolve) => {
        this.#idle = resolve
        timer = clock.setTimer(resolve, timeout(), true)
      })
      clock.clearTimer(timer)
    }
    link.close()
  }
}

/** What Redis says of a key or of itself that is no failure to answer. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error.message.startsWith('WRONGTYPE')) return notText(error)
  if (error.message.startsWith('OOM')) {
    return new CacheError('ERR_STORE_FULL', 'Redis has no room and evicts nothing: it takes no writes', {
      cause: error,
    })
  }
  return error
}

/** What lies under a key is of another type. */
export const notText = (cause?: unknown): CacheError =>
  new CacheError('ERR_POISONED', 'what lies under this key in Redis is not a string', { cause })
