import Database from 'libsql'
import pg from 'pg'
import { narrow, rows, type Table, typical } from './tables.js'

export type LoadMany = (keys: readonly string[]) => Promise<Map<string, unknown>>

/** Who has rows, and how they are asked for. */
export interface Origin extends AsyncDisposable {
  readonly keys: readonly string[]
  readonly loadMany: LoadMany
}

/** Where the origins are. */
export interface Places {
  readonly postgres: string
  /** The same server, a millisecond away. */
  readonly farPostgres: string
  /** A file for libsql. */
  readonly file: string
}

const open = {
  PostgreSQL: ({ postgres }: Places, most: number): Origin => inPostgres(postgres, narrow, most),
  'PostgreSQL a millisecond away': ({ farPostgres }: Places, most: number): Origin =>
    inPostgres(farPostgres, narrow, most),
  'PostgreSQL and a typical table': ({ postgres }: Places, most: number): Origin =>
    inPostgres(postgres, typical, most),
  'PostgreSQL and a typical table, a millisecond away': ({ farPostgres }: Places, most: number): Origin =>
    inPostgres(farPostgres, typical, most),
  'libsql on a file': ({ file }: Places): Origin => inLibsql(new Database(file)),
  'libsql in memory': (): Origin => {
    const database = new Database(':memory:')
    fillLibsql(database)
    return inLibsql(database)
  },
}

export type OriginName = keyof typeof open
export const originNames = Object.keys(open) as readonly OriginName[]

/** Opens an origin. `most`: how many questions are under way at once. */
export const openOrigin = (name: OriginName, places: Places, most: number): Origin => open[name](places, most)

/** Puts the rows where the processes that measure find them. */
export async function fill({ postgres, file }: Pick<Places, 'postgres' | 'file'>): Promise<void> {
  const pool = new pg.Pool({ connectionString: postgres, max: 1 })
  for (const { name, columns, row } of [narrow, typical]) {
    await pool.query(`CREATE TABLE ${name} (${columns})`)
    await pool.query(`INSERT INTO ${name} SELECT ${row} FROM generate_series(0, ${rows - 1}) i`)
    await pool.query(`ANALYZE ${name}`)
  }
  await pool.end()
  const database = new Database(file)
  fillLibsql(database)
  database.close()
}

function inPostgres(connectionString: string, { name, keyOf }: Table, max: number): Origin {
  const pool = new pg.Pool({ connectionString, max })
  const text = `SELECT * FROM ${name} WHERE id = ANY($1)`
  return {
    keys: Array.from({ length: rows }, (_, i) => keyOf(i)),
    loadMany: async (wanted) =>
      byId((await pool.query<{ id: string }>({ name, text, values: [wanted] })).rows),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function fillLibsql(database: Database.Database): void {
  database.exec(`CREATE TABLE ${narrow.name} (${narrow.columns})`)
  const insert = `INSERT INTO ${narrow.name} SELECT ${narrow.row} FROM numbers`
  database.exec(
    `WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${rows - 1}) ${insert}`,
  )
}

function inLibsql(database: Database.Database): Origin {
  const select = database.prepare(`SELECT * FROM ${narrow.name} WHERE id IN (SELECT value FROM json_each(?))`)
  return {
    keys: Array.from({ length: rows }, (_, i) => narrow.keyOf(i)),
    loadMany: async (wanted) => byId(select.all(JSON.stringify(wanted)) as { id: string }[]),
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

const byId = (found: readonly { readonly id: string }[]): Map<string, unknown> =>
  new Map(found.map((row) => [row.id, row]))
