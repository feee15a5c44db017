/** A table of rows with keys of its own, as PostgreSQL makes it. */
export interface Table {
  readonly name: string
  /** The columns with their types; the first is the key. */
  readonly columns: string
  /** The row of number `i`, in SQL. */
  readonly row: string
  readonly keyOf: (i: number) => string
}

/** How many rows each table has. */
export const rows = 100_000

/** Next to nothing to fetch: whatever is done beside a query stands on its time as a whole. */
export const narrow: Table = {
  name: 'users',
  columns: 'id TEXT PRIMARY KEY, name TEXT, mail TEXT',
  row: `'user:' || i, 'name ' || i, i || '@example.com'`,
  keyOf: (i) => `user:${i}`,
}

const uuidFront = '00000000-0000-4000-8000-'

/** What applications have. */
export const typical: Table = {
  name: 'accounts',
  columns: `id UUID PRIMARY KEY, tenant_id UUID, name TEXT, mail TEXT, phone TEXT, city TEXT, balance NUMERIC(12, 2),
    is_active BOOLEAN, settings JSONB, created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, seen_at TIMESTAMPTZ`,
  row: `('${uuidFront}' || lpad(to_hex(i), 12, '0'))::uuid, md5((i % 100)::text)::uuid, 'Name of ' || i, i || '@example.com',
    '+44 20 7946 ' || lpad((i % 10000)::text, 4, '0'), 'City of ' || i % 500, i / 7.0, i % 3 > 0,
    jsonb_build_object('theme', 'dark', 'locale', 'en-GB', 'pageSize', 25 + i % 50, 'beta', i % 2 = 0,
      'channels', jsonb_build_array('mail', 'push', 'sms'),
      'address', jsonb_build_object('street', i || ' High Street', 'postcode', 'SW1A 1AA', 'country', 'GB')),
    TIMESTAMPTZ '2024-01-01' + i * INTERVAL '1 minute', TIMESTAMPTZ '2025-01-01' + i * INTERVAL '1 minute',
    TIMESTAMPTZ '2026-01-01' + i * INTERVAL '1 second'`,
  keyOf: (i) => uuidFront + i.toString(16).padStart(12, '0'),
}
