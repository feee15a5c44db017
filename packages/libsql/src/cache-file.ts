import { CacheError } from '@flow-cache/core'
import type Database from 'libsql'
import { damage, failure, open, prepare, type Statement } from './opening.js'
import type { Settings } from './options.js'
import { statements } from './schema.js'

type Statements = Readonly<Record<keyof typeof statements, Statement>>

/** The file of a cache, open. */
export class CacheFile {
  readonly pageSize: number
  #database: Database.Database | undefined
  #statements: Statements | undefined

  /** Opens the file, or makes it. What is no file of a cache is a `CacheError`, `ERR_STORE`, that says so. */
  constructor(settings: Settings) {
    this.#database = open(settings)
    try {
      this.pageSize = Number(prepare(this.#database, 'PRAGMA page_size').get([])![0])
      this.#statements = Object.fromEntries(
        Object.entries(statements).map(([name, text]) => [name, prepare(this.#database!, text)]),
      ) as unknown as Statements
      // A look into each table: damage there is better known now.
      for (const name of ['firstEnd', 'firstLeaseEnd', 'anyTag'] as const) this.sql[name].get([])
      if (!(Number(this.sql.horizon.get([])?.[0]) <= this.lastChange)) throw damage()
    } catch (cause) {
      this.#database.close()
      throw failure(settings.path, cause)
    }
  }

  /** The statements; an error once the file is closed. */
  get sql(): Statements {
    if (this.#statements === undefined) throw new CacheError('ERR_CLOSED', 'the store is closed')
    return this.#statements
  }

  /** Whether the file is open still. */
  get isOpen(): boolean {
    return this.#statements !== undefined
  }

  /** Does all of it or nothing, and nobody else writes meanwhile. */
  transact<T>(work: (sql: Statements) => T): T {
    const { sql } = this
    sql.begin.run([])
    try {
      const answer = work(sql)
      sql.commit.run([])
      return answer
    } catch (error) {
      // A full disk has rolled back already.
      if (this.#database?.inTransaction === true) sql.rollback.run([])
      throw error
    }
  }

  /** The number of the last change in the list. */
  get lastChange(): number {
    const last = Number(this.sql.lastChange.get([])![0])
    if (Number.isSafeInteger(last)) return last
    throw damage()
  }

  /** How many bytes of the file are in use. */
  get bytesInUse(): number {
    const { pages, freePages } = this.sql
    return (Number(pages.get([])![0]) - Number(freePages.get([])![0])) * this.pageSize
  }

  /** Puts all that was written into the file itself, and lets it go. */
  close(): void {
    const database = this.#database
    // What holds a statement holds the file: the platform frees it with the last one.
    this.#statements = undefined
    this.#database = undefined
    if (database === undefined) return
    try {
      database.pragma('wal_checkpoint(TRUNCATE)')
    } catch {
      // Somebody else reads it, or the disk is full: whoever opens it next goes on from there.
    }
    database.close()
  }
}
