import type { Deletes, Reads, ReadsMany, Writes, WritesMany } from '@flow-cache/strategies'
import type Database from 'libsql'

/** Everything an origin can do, with values as JSON. */
export type SqlOrigin<V> = Reads<V> & ReadsMany<V> & Writes<V> & WritesMany<V> & Deletes

/**
 * An origin in a file, or in memory, of this process: a table of libsql, with a row for each key.
 *
 * It remembers the number of the last write of each key, so that a write which is delivered twice, or late, changes
 * nothing. That is why a deleted key leaves a row without a value.
 */
export function libsqlOrigin<V>(database: Database.Database, table = 'things'): SqlOrigin<V> {
  const name = `"${table.replaceAll('"', '""')}"`
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${name} (key TEXT PRIMARY KEY, value TEXT, sequence INTEGER NOT NULL)`,
  )
  const one = database.prepare(`SELECT value FROM ${name} WHERE key = ? AND value IS NOT NULL`)
  // Given as one list, so that it is one statement for any number of keys.
  const many = database.prepare(
    `SELECT key, value FROM ${name} WHERE key IN (SELECT value FROM json_each(?)) AND value IS NOT NULL`,
  )
  // A write without a number of its own is the next one.
  const put = database.prepare(
    `INSERT INTO ${name} (key, value, sequence) VALUES (?1, ?2, coalesce(?3, 0))
     ON CONFLICT (key) DO UPDATE SET value = ?2, sequence = coalesce(?3, sequence)
     WHERE ?3 IS NULL OR ?3 > sequence`,
  )
  const putMany = database.transaction((rows: readonly (readonly unknown[])[]) => {
    for (const row of rows) put.run(...row)
  })
  const parse = (value: string): V => JSON.parse(value) as V

  return {
    read(key) {
      const row = one.get(key) as { value: string } | undefined
      return row && parse(row.value)
    },
    readMany(keys) {
      const rows = many.all(JSON.stringify(keys)) as { key: string; value: string }[]
      return new Map(rows.map(({ key, value }) => [key, parse(value)]))
    },
    write(key, value, { sequence }) {
      put.run(key, JSON.stringify(value), sequence ?? null)
    },
    writeMany(entries, { sequences }) {
      putMany(entries.map(([key, value], i) => [key, JSON.stringify(value), sequences?.[i] ?? null]))
    },
    delete(key, { sequence }) {
      put.run(key, null, sequence ?? null)
    },
  }
}
