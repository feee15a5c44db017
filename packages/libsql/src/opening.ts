import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { CacheError } from '@flow-cache/core'
import Database from 'libsql'
import { textOf } from './bytes.js'
import type { Settings } from './options.js'
import { applicationId, schema, schemaVersion } from './schema.js'

/** One row, its columns in the order of the statement. */
export type Row = readonly (number | Uint8Array | null)[]

/** A prepared statement. */
export interface Statement {
  run(parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint }
  get(parameters: readonly unknown[]): Row | undefined
  all(parameters: readonly unknown[]): Row[]
}

/** What libsql takes, some of which it does not declare. */
interface OpenOptions extends Database.Options {
  readonly encryptionKey?: string
}

/** Opens the file with its tables, or makes it. */
export function open(settings: Settings): Database.Database {
  const { path, encryptionKey, busyTimeout } = settings
  let database: Database.Database | undefined
  try {
    const options: OpenOptions = encryptionKey === undefined ? {} : { encryptionKey }
    if (path !== ':memory:') makeFolder(dirname(path))
    database = new Database(path, options)
    database.pragma(`busy_timeout = ${Math.ceil(Math.min(busyTimeout, 2 ** 31 - 1))}`)
    setUp(database)
    return database
  } catch (cause) {
    database?.close()
    throw failure(path, cause)
  }
}

function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new Error(`its folder is not there and cannot be made: ${(cause as Error).message}`, { cause })
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
  const tables = "SELECT CAST(name AS BLOB) FROM sqlite_schema WHERE type = 'table'"
  for (const [name] of prepare(database, tables).all([])) {
    database.exec(`DROP TABLE "${textOf(name).replaceAll('"', '""')}"`)
  }
  database.exec(schema)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`)
}

const versionOf = (database: Database.Database): number => Number(valueOf(database, 'PRAGMA user_version'))

const valueOf = (database: Database.Database, text: string): unknown => prepare(database, text).get([])![0]

/**
 * The statement, whose rows are lists. One that failed is not used again: libsql does not reset it, and it would answer
 * for the parameters it failed with.
 */
export function prepare(database: Database.Database, text: string): Statement {
  let prepared: Statement | undefined
  const fresh = (): Statement => {
    const statement = database.prepare(text)
    return (statement.reader ? statement.raw() : statement) as unknown as Statement
  }
  const use = <T>(call: (statement: Statement) => T): T => {
    const statement = (prepared ??= fresh())
    try {
      return call(statement)
    } catch (error) {
      prepared = undefined
      throw error
    }
  }
  prepared = fresh()
  return {
    run: (parameters) => use((statement) => statement.run(parameters)),
    get: (parameters) => use((statement) => statement.get(parameters)),
    all: (parameters) => use((statement) => statement.all(parameters)),
  }
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

/** What is thrown where the file holds what nobody wrote. */
export const damage = (): Error & { code: string } =>
  Object.assign(new Error('it holds what no cache wrote'), { code: 'SQLITE_CORRUPT' })

/** Whether the error says that the file is damaged where it was read. */
export const isDamage = (error: unknown): boolean =>
  String((error as { code?: unknown }).code).startsWith('SQLITE_CORRUPT')

/** The error of a file that cannot be opened, for this reason. */
export const failure = (path: string, cause: unknown): CacheError => {
  const { code, message } = cause as { code?: string; message: string }
  const what =
    code === 'SQLITE_NOTADB'
      ? 'it is no database, is damaged, or is encrypted with another key'
      : isDamage(cause)
        ? 'it is damaged; a cache can be made anew, so remove it'
        : message
  return new CacheError('ERR_STORE', `path: '${path}' cannot be opened as a cache: ${what}`, { cause })
}
