/** Says whose file it is, in its head: `flow`. */
export const applicationId = 0x666c_6f77

/** The version of the tables below. A file with an older one begins anew: it holds nothing but a cache. */
export const schemaVersion = 1

/**
 * The tables. `entries.bytes` is what `packEntry` makes. Names and keys are UTF-16, see `bytesOf`; instants are
 * milliseconds since the epoch.
 */
export const schema = `
CREATE TABLE entries (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, expires_at REAL NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE INDEX entries_by_end ON entries (expires_at);
CREATE TABLE leases (key BLOB PRIMARY KEY, token TEXT NOT NULL, ends_at REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tags (name BLOB PRIMARY KEY, version TEXT NOT NULL, used_at REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes (id INTEGER PRIMARY KEY, writer TEXT NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, version TEXT) STRICT;
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO state VALUES ('horizon', 0);
`

/**
 * Every statement that is run more than once. `id` of an entry grows with each write; that of a change counts them all.
 *
 * What is read comes as bytes or as a number, whatever stands there: in a damaged file any column may hold anything, and
 * a text that is no UTF-8 would end the process within libsql.
 */
export const statements = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',

  get: 'SELECT CAST(bytes AS BLOB) FROM entries WHERE key = ?',
  has: 'SELECT 1 FROM entries WHERE key = ? AND expires_at > ?',
  put: 'INSERT OR REPLACE INTO entries (key, expires_at, bytes) VALUES (?, ?, ?)',
  remove: 'DELETE FROM entries WHERE key = ?',
  removeAll: 'DELETE FROM entries',
  removeBetween: 'DELETE FROM entries WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)',
  list: 'SELECT CAST(key AS BLOB) FROM entries WHERE key > ?1 AND (?2 IS NULL OR key < ?2) AND expires_at > ?3 ORDER BY key LIMIT ?4',
  oldest: 'SELECT id, CAST(key AS BLOB) FROM entries ORDER BY id LIMIT ?',
  removeOldest: 'DELETE FROM entries WHERE id = ?',
  renew: 'UPDATE entries SET id = (SELECT max(id) + 1 FROM entries) WHERE id = ?',
  sweep: 'DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires_at <= ? LIMIT ?)',

  lease: 'SELECT CAST(token AS BLOB), CAST(ends_at AS REAL) FROM leases WHERE key = ? AND ends_at > ?',
  lend: 'INSERT OR REPLACE INTO leases (key, token, ends_at) VALUES (?, ?, ?)',
  revoke: 'DELETE FROM leases WHERE key = ?',
  revokeAll: 'DELETE FROM leases',
  revokeBetween: 'DELETE FROM leases WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)',
  firstEnd: 'SELECT CAST(min(expires_at) AS REAL) FROM entries',
  firstLeaseEnd: 'SELECT CAST(min(ends_at) AS REAL) FROM leases',
  anyTag: 'SELECT 1 FROM tags LIMIT 1',
  sweepLeases: 'DELETE FROM leases WHERE ends_at <= ?',

  tag: 'SELECT CAST(version AS BLOB), CAST(used_at AS REAL) FROM tags WHERE name = ?',
  putTag: 'INSERT OR REPLACE INTO tags (name, version, used_at) VALUES (?, ?, ?)',
  useTag: 'UPDATE tags SET used_at = ? WHERE name = ?',
  sweepTags: 'DELETE FROM tags WHERE used_at <= ?',
  horizon: "SELECT CAST(value AS INTEGER) FROM state WHERE name = 'horizon'",
  moveHorizon: "UPDATE state SET value = (SELECT coalesce(max(id), 0) FROM changes) WHERE name = 'horizon'",

  append: 'INSERT INTO changes (writer, kind, name, version) VALUES (?, ?, ?, ?)',
  lastChange: 'SELECT coalesce(max(id), 0) FROM changes',
  changesAfter:
    'SELECT id, CAST(writer AS BLOB), CAST(kind AS BLOB), CAST(name AS BLOB), CAST(version AS BLOB) FROM changes WHERE id > ? ORDER BY id LIMIT ?',
  trimChanges: 'DELETE FROM changes WHERE id <= ?',

  dataVersion: 'PRAGMA data_version',
  pages: 'PRAGMA page_count',
  freePages: 'PRAGMA freelist_count',
} as const
