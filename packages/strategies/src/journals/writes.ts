import type { ClaimedWrite, DeadLetter, JournalOperation, JournaledWrite } from '@flow-cache/core'
import type { Row } from './pending-table.js'

/** How a journal makes a value of what its table keeps. */
export type Unpack<V> = (kept: V, key: string) => unknown

function operationOf<V>({ kind, key, value }: Row<V>, unpack: Unpack<V>): JournalOperation {
  return kind === 'put' ? { kind, value: unpack(value as V, key) } : { kind }
}

/** A row as `claim` hands it out. */
export function claimedOf<V>(row: Row<V>, unpack: Unpack<V>): ClaimedWrite {
  const { key, sequence, attempts } = row
  return { ...operationOf(row, unpack), key, sequence, attempts }
}

/** A row as `read` answers with it. */
export function journaledOf<V>(row: Row<V>, unpack: Unpack<V>): JournaledWrite {
  const { key, sequence, state } = row
  return { ...operationOf(row, unpack), key, sequence, dead: state === 'dead' }
}

/** The first dead letters of a table. */
export function deadLettersOf<V>(rows: Iterable<Row<V>>, limit: number, unpack: Unpack<V>): DeadLetter[] {
  const letters: DeadLetter[] = []
  for (const row of rows) {
    if (letters.length >= limit) break
    const { key, sequence, attempts, error, failedAt } = row
    letters.push({ ...letterOf(row, unpack), key, sequence, attempts, error, failedAt })
  }
  return letters
}

/** What cannot be unpacked is listed without its value. */
function letterOf<V>(row: Row<V>, unpack: Unpack<V>): JournalOperation {
  try {
    return operationOf(row, unpack)
  } catch {
    return { kind: 'put', value: undefined }
  }
}
