import { CacheError, type Entry, matchGlob } from '@flow-cache/core'
import { packEntry, unpackEntry } from '@flow-cache/core/codec'
import type { CacheFile } from './cache-file.js'
import { bytesOf, endOf, isKey, keyOf } from './bytes.js'
import { damage, isDamage, type Row } from './opening.js'
import type { Settings } from './options.js'
import type { Room } from './room.js'
import type { Sweeper } from './sweeper.js'

const none = new Uint8Array()

/** How many keys are listed before the event loop has its turn. */
const slice = 500

/** The entries in the file, without leases and news. What changes them is called within a transaction. */
export class Entries {
  readonly #file: CacheFile
  readonly #settings: Settings
  readonly #room: Room
  readonly #sweeper: Sweeper

  constructor(file: CacheFile, settings: Settings, room: Room, sweeper: Sweeper) {
    this.#file = file
    this.#settings = settings
    this.#room = room
    this.#sweeper = sweeper
  }

  get(key: string): Entry | undefined {
    const bytes = this.#find(key)
    if (bytes === undefined) return undefined
    const entry = unpackEntry(key, bytes, this.#settings.codec)
    if (this.#settings.clock.now() >= entry.expiresAt) return undefined
    this.#room.use(key)
    return entry
  }

  /** The bytes of the entry. A page that is damaged is that of some keys: the others can still be read. */
  #find(key: string): Uint8Array | undefined {
    let row: Row | undefined
    try {
      row = this.#file.sql.get.get([bytesOf(key)])
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      throw new CacheError('ERR_POISONED', 'the page with the bytes of this key is damaged', { key, cause })
    }
    return row && ((row[0] ?? none) as Uint8Array)
  }

  /** The entry, where a damaged one is none: it is about to be replaced. */
  find(key: string): Entry | undefined {
    try {
      return this.get(key)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_POISONED') return undefined
      throw error
    }
  }

  /** The bytes to put, made before a transaction begins: a value may be refused, or take long. */
  pack(key: string, entry: Entry): Uint8Array {
    return packEntry(key, entry, this.#settings.codec)
  }

  put(key: string, entry: Entry, bytes: Uint8Array): void {
    const { sql } = this.#file
    const name = bytesOf(key)
    if (this.#settings.clock.now() < entry.expiresAt && this.#room.canHold(name.length + bytes.length)) {
      sql.put.run([name, entry.expiresAt, bytes])
      this.#sweeper.note(entry.expiresAt)
      this.#room.make(key)
    } else sql.remove.run([name])
  }

  /** Tells whether there was one to read. */
  delete(key: string): boolean {
    const { sql } = this.#file
    const name = bytesOf(key)
    const found = sql.has.get([name, this.#settings.clock.now()]) !== undefined
    sql.remove.run([name])
    return found
  }

  clear(prefix: string): void {
    const { sql } = this.#file
    const name = bytesOf(prefix)
    if (prefix === '') sql.removeAll.run([])
    else sql.removeBetween.run([name, endOf(name) ?? null])
  }

  async *scan(prefix: string, glob?: string): AsyncGenerator<readonly string[]> {
    const start = bytesOf(prefix)
    const end = endOf(start) ?? null
    const { clock } = this.#settings
    // The prefix itself is a key too, and after nothing comes everything.
    let last: Uint8Array = start
    for (let isFirst = true; ; isFirst = false) {
      const rows = this.#file.sql.list.all([last, end, clock.now(), slice])
      const keys: string[] = []
      for (const [key] of rows) {
        // Without an order there is no end to where the next slice begins.
        if (!isKey(key) || Buffer.compare(key, last) <= 0) throw damage()
        keys.push(keyOf(key))
        last = key
      }
      if (isFirst && this.#file.sql.has.get([start, clock.now()]) !== undefined) keys.unshift(prefix)
      const matching =
        glob === undefined ? keys : keys.filter((key) => matchGlob(glob, key.slice(prefix.length)))
      if (matching.length > 0) yield matching
      if (rows.length < slice) return
      await turn()
    }
  }
}

/** Resolves after what else waits in the event loop. A message, not a timer: no time has to pass. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(undefined)
  })
}
