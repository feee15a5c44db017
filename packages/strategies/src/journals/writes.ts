import type { ClaimedWrite, DeadLetter, JournalOperation, JournaledWrite } from '@flow-cache/core'
import type { Row } from './pending-table.js'

/** How a journal makes a value of what its table keeps. */
export type Unpack<V> = (kept: V, key: string) => unknown

/** A row as `claim` hands it out. */
export function claimedOf<V>(row: Row<V>, unpack: Unpack<V>): ClaimedWrite {
  const { kind, key, sequence, attempts } = row
  return kind === 'put'
    ? { kind, key, sequence, attempts, value: unpack(row.value as V, key) }
    : { kind, key, sequence, attempts }
}

/** A row as `read` answers with it. */
export function journaledOf<V>(row: Row<V>, unpack: Unpack<V>): JournaledWrite {
  const { kind, key, sequence } = row
  const dead = row.state === 'dead'
  return kind === 'put'
    ? { kind, key, sequence, dead, value: unpack(row.value as V, key) }
    : { kind, key, sequence, dead }
}

/** The first dead letters of a table. */
export function deadLettersOf<V>(rows: Iterable<Row<V>>, limit: number, unpack: Unpack<V>): DeadLetter[] {
  const letters: DeadLetter[] = []
  for (const row of rows) {
    if (letters.length >= limit) break
    const { key, sequence, attempts, error, failedAt } = row
    letters.push({ ...operationOf(row, unpack), key, sequence, attempts, error, failedAt })
  }
  return letters
}

/** What cannot be unpacked is listed without its value. */
function operationOf<V>({ kind, key, value }: Row<V>, unpack: Unpack<V>): JournalOperation {
  if (kind === 'delete') return { kind }
  try {
    return { kind, value: unpack(value as V, key) }
  } catch {
    return { kind, value: undefined }
  }
}
