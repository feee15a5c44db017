import { CacheError } from '@flow-cache/core'
import Database from 'libsql'
import type { Settings } from './options.js'
import { applicationId, schema, schemaVersion, statements } from './schema.js'

/** One row, its columns in the order of the statement. */
export type Row = readonly (string | number | Uint8Array | null)[]

/** A prepared statement. */
export interface Statement {
  run(parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint }
  get(parameters: readonly unknown[]): Row | undefined
  all(parameters: readonly unknown[]): Row[]
}

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
      for (const name of ['firstEnd', 'firstLeaseEnd', 'anyTag', 'lastChange', 'horizon'] as const)
        this.sql[name].get([])
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

/** What libsql takes, some of which it does not declare. */
interface OpenOptions extends Database.Options {
  readonly encryptionKey?: string
}

function open(settings: Settings): Database.Database {
  const { path, encryptionKey, busyTimeout } = settings
  let database: Database.Database | undefined
  try {
    const options: OpenOptions = encryptionKey === undefined ? {} : { encryptionKey }
    database = new Database(path, options)
    database.pragma(`busy_timeout = ${Math.ceil(Math.min(busyTimeout, 2 ** 31 - 1))}`)
    setUp(database)
    return database
  } catch (cause) {
    database?.close()
    throw failure(path, cause)
  }
}

function setUp(database: Database.Database): void {
  const isFresh = () => valueOf(database, 'SELECT count(*) FROM sqlite_schema') === 0
  const owner = valueOf(database, 'PRAGMA application_id')
  if (owner !== applicationId && !isFresh()) {
    throw new Error('it is a database of something else, and a cache needs a file of its own')
  }
  patiently(() => {
    if (valueOf(database, 'PRAGMA journal_mode') === 'delete') database.pragma('journal_mode = WAL')
  })
  // With WAL, a process that dies loses nothing, and a machine that does the last writes at most.
  database.exec(
    'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216',
  )
  if (owner === applicationId && versionOf(database) === schemaVersion) return
  patiently(() => {
    database.exec('BEGIN IMMEDIATE')
    try {
      if (isFresh() || versionOf(database) < schemaVersion) make(database)
      database.exec('COMMIT')
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
  })
  if (versionOf(database) > schemaVersion) {
    throw new Error('it was written by a newer version of @flow-cache/libsql')
  }
}

function make(database: Database.Database): void {
  const tables = prepare(database, "SELECT name FROM sqlite_schema WHERE type = 'table'").all([])
  for (const [name] of tables) database.exec(`DROP TABLE "${String(name)}"`)
  database.exec(schema)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`)
}

const versionOf = (database: Database.Database): number => Number(valueOf(database, 'PRAGMA user_version'))

const valueOf = (database: Database.Database, text: string): unknown => prepare(database, text).get([])![0]

function prepare(database: Database.Database, text: string): Statement {
  const statement = database.prepare(text)
  return (statement.reader ? statement.raw() : statement) as unknown as Statement
}

/** Processes that make the file at once stand in each other's way for a moment, in which SQLite does not wait. */
function patiently(work: () => void): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 1; ; tries++) {
    try {
      return work()
    } catch (error) {
      if (tries === 100 || !String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error
      Atomics.wait(pause, 0, 0, 5 * Math.min(tries, 10))
    }
  }
}

const failure = (path: string, cause: unknown): CacheError => {
  const { code, message } = cause as { code?: string; message: string }
  const what =
    code === 'SQLITE_NOTADB'
      ? 'it is no database, is damaged, or is encrypted with another key'
      : code === 'SQLITE_CORRUPT'
        ? 'it is damaged; a cache can be made anew, so remove it'
        : message
  return new CacheError('ERR_STORE', `path: '${path}' cannot be opened as a cache: ${what}`, { cause })
}
