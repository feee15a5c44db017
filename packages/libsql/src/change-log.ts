import { CacheError, type Change, type Log, type LogListener, randomId, type Timer } from '@flow-cache/core'
import type { CacheFile } from './cache-file.js'
import { bytesOf, isKey, keyOf, textOf } from './bytes.js'
import { damage, isDamage } from './opening.js'
import type { Settings } from './options.js'

/** How many changes are read in one go. */
const slice = 1_000

/** How often old changes are removed: after so many new ones. */
const trimmed = 1_024

/**
 * The numbered list of changes in the file. Each is appended in the transaction that makes it, so that its place is the
 * order in which the file saw them. A look at whether anybody has written is a few microseconds, so it is
 * taken often.
 */
export class ChangeLog implements Log {
  readonly #file: CacheFile
  readonly #settings: Settings
  readonly #me: string = randomId()
  readonly #listeners = new Set<LogListener>()
  #timer: Timer
  /** The number of the last change that was read. */
  #last = 0
  /** What SQLite called the state of the file then; another one where another connection has written. */
  #state: unknown
  #failed = false
  /** The numbers of what the transaction under way has appended. */
  #appended: number[] = []

  constructor(file: CacheFile, settings: Settings) {
    this.#file = file
    this.#settings = settings
  }

  /** Appends a change, within the transaction that makes it. */
  append(change: Change): void {
    const { append, trimChanges } = this.#file.sql
    const name = change.kind === 'key' ? change.key : change.kind === 'tag' ? change.tag : change.prefix
    const version = change.kind === 'tag' ? (change.version ?? null) : null
    const number = Number(append.run([this.#me, change.kind, bytesOf(name), version]).lastInsertRowid)
    if (number % trimmed === 0) trimChanges.run([number - this.#settings.logLength])
    this.#appended.push(number)
  }

  /**
   * The transaction has ended. Own changes need not be read where nobody else's are between: who writes much, and hears
   * little, would find that the list begins later than where it stopped reading.
   */
  ended(isCommitted: boolean): void {
    const appended = this.#appended
    this.#appended = []
    if (isCommitted && appended[0] === this.#last + 1) this.#last = appended.at(-1)!
  }

  /** The number of the last change there is. */
  get position(): number {
    return this.#file.lastChange
  }

  follow(listener: LogListener): () => void {
    if (this.#listeners.size === 0) {
      this.#state = this.#file.sql.dataVersion.get([])![0]
      this.#last = this.position
      this.#wait()
    }
    // Wrapped, so that one listener can follow twice and stop once.
    const follower: LogListener = {
      changed: (change) => listener.changed(change),
      lost: () => listener.lost(),
      failed: (error) => listener.failed?.(error),
    }
    this.#listeners.add(follower)
    return () => {
      this.#listeners.delete(follower)
      if (this.#listeners.size === 0) this.stop()
    }
  }

  stop(): void {
    this.#settings.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #wait(): void {
    const { clock, pollInterval } = this.#settings
    this.#timer = clock.setTimer(() => this.#look(), pollInterval, false)
  }

  #look(): void {
    let state: unknown
    try {
      state = this.#file.sql.dataVersion.get([])![0]
      if (state !== this.#state) {
        this.#read()
        this.#state = state
        this.#failed = false
      }
    } catch (cause) {
      this.#fail(cause)
      // What is damaged stays so, and anything may have changed.
      if (isDamage(cause)) {
        this.#state = state
        this.#tell((listener) => listener.lost())
      }
    }
    if (this.#file.isOpen && this.#listeners.size > 0) this.#wait()
  }

  #read(): void {
    let rows = this.#file.sql.changesAfter.all([this.#last, slice])
    while (rows.length > 0) {
      for (const [id, writer, kind, name, version] of rows) {
        // Without an order there is no end to where the next slice begins.
        if (!(Number(id) > this.#last)) throw damage()
        const isNext = id === this.#last + 1
        this.#last = Number(id)
        if (!isNext) this.#tell((listener) => listener.lost())
        if (textOf(writer) === this.#me) continue
        const change = changeOf(textOf(kind), name, version)
        this.#tell((listener) => (change === undefined ? listener.lost() : listener.changed(change)))
      }
      if (!this.#file.isOpen) return
      rows = this.#file.sql.changesAfter.all([this.#last, slice])
    }
  }

  #tell(how: (listener: LogListener) => void): void {
    for (const listener of this.#listeners) how(listener)
  }

  #fail(cause: unknown): void {
    if (this.#failed || !this.#file.isOpen) return
    this.#failed = true
    const message = `the log of changes cannot be read: ${(cause as Error).message}`
    this.#tell((listener) => listener.failed?.(new CacheError('ERR_STORE', message, { cause })))
  }
}

/** The change that a row tells of; `undefined` where it is damaged. */
function changeOf(kind: string, name: unknown, version: unknown): Change | undefined {
  if (!isKey(name)) return undefined
  if (kind === 'key') return { kind, key: keyOf(name) }
  if (kind === 'tag') return { kind, tag: keyOf(name), version: textOf(version) || undefined }
  return kind === 'clear' ? { kind, prefix: keyOf(name) } : undefined
}
