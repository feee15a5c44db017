import type { Pool } from 'pg'
import type { SqlOrigin } from './libsql-origin.js'

/**
 * An origin in PostgreSQL: a table with a row for each key and its value as `jsonb`. Call it once; it makes the table.
 *
 * It remembers the number of the last write of each key, so that a write which is delivered twice, or late, changes
 * nothing. That is why a deleted key leaves a row without a value.
 */
export async function postgresOrigin<V>(pool: Pool, table = 'things'): Promise<SqlOrigin<V>> {
  const name = `"${table.replaceAll('"', '""')}"`
  await pool.query(
    `CREATE TABLE IF NOT EXISTS ${name} (key text PRIMARY KEY, value jsonb, sequence bigint NOT NULL)`,
  )
  // A write without a number of its own is the next one.
  const put = `INSERT INTO ${name} AS t (key, value, sequence)
    SELECT key, value, coalesce(sequence, 0)
    FROM unnest($1::text[], $2::jsonb[], $3::bigint[]) AS given (key, value, sequence)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, sequence = greatest(excluded.sequence, t.sequence)
    WHERE excluded.sequence = 0 OR excluded.sequence > t.sequence`

  const write = async (
    keys: readonly string[],
    values: readonly (string | null)[],
    sequences: readonly (number | undefined)[],
  ): Promise<void> => {
    await pool.query(put, [keys, values, sequences.map((sequence) => sequence ?? null)])
  }
  const readMany = async (keys: readonly string[]): Promise<Map<string, V>> => {
    const { rows } = await pool.query<{ key: string; value: V }>(
      `SELECT key, value FROM ${name} WHERE key = ANY($1::text[]) AND value IS NOT NULL`,
      [keys],
    )
    return new Map(rows.map(({ key, value }) => [key, value]))
  }

  return {
    read: async (key) => (await readMany([key])).get(key),
    readMany,
    write: (key, value, { sequence }) => write([key], [JSON.stringify(value)], [sequence]),
    writeMany: (entries, { sequences = [] }) =>
      write(
        entries.map(([key]) => key),
        entries.map(([, value]) => JSON.stringify(value)),
        entries.map((_, i) => sequences[i]),
      ),
    delete: (key, { sequence }) => write([key], [null], [sequence]),
  }
}
