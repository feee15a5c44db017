import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { CacheError, type JournalCounts } from '@flow-cache/core'
import type { PendingTable } from '../pending-table.js'
import { FileBytes } from './file-bytes.js'
import { nextFrame, readFrame } from './frame.js'
import { type JournalRecord, recordsOf } from './record.js'

/** What was found when the journal was opened. */
export interface Recovery {
  /** How many operations are pending and dead letters. */
  readonly operations: number
  /** The end of the last file that was torn off, or is damaged, and was dropped; absent if none was. */
  readonly dropped?: { readonly file: string; readonly offset: number; readonly bytes: number }
}

/** What the next file goes on from. */
export interface Recovered extends Recovery {
  readonly nextFile: number
  readonly nextFrame: number
  /** Bytes of all logs that were read. */
  readonly logBytes: number
}

/** The first frame of a checkpoint: where the log goes on, and what was counted before. */
export interface CheckpointHead {
  readonly format: 1
  readonly nextFrame: number
  readonly rows: number
  readonly last: number
  readonly counts: JournalCounts
}

export const logName = (number: number): string => `${String(number).padStart(10, '0')}.log`
export const checkpointName = (number: number): string => `${String(number).padStart(10, '0')}.checkpoint`

/**
 * Fills the table from a directory: the latest checkpoint and every log from its number on. The end of the last log may
 * be torn: it is dropped, as what nobody was told is safe. Damage anywhere else is `ERR_JOURNAL_DAMAGED`, and nothing
 * is changed.
 */
export function recover(directory: string, table: PendingTable<Uint8Array>): Recovered {
  const names = readdirSync(directory)
  const numbers = (ending: string): number[] =>
    names
      .filter((name) => name.endsWith(ending) && /^\d{10}\./.test(name))
      .map((name) => Number.parseInt(name, 10))
      .toSorted((a, b) => a - b)
  const base = numbers('.checkpoint').at(-1)
  const logs = numbers('.log').filter((number) => number >= (base ?? 0))
  let frame = base === undefined ? 0 : readCheckpoint(join(directory, checkpointName(base)), table)
  let logBytes = 0
  let dropped: Recovery['dropped']
  const isGap = logs.some((number, i) => number !== (base ?? logs[0]!) + i)
  if (isGap) throw damaged(directory, 0, `of the logs from ${base ?? logs[0]!} on, one is missing`)
  for (const number of logs) {
    const file = join(directory, logName(number))
    const bytes = new FileBytes(file)
    try {
      let at = 0
      for (; at < bytes.size;) {
        const found = readFrame(bytes, at)
        if (found === undefined || found.number !== frame) {
          const isLast = number === logs.at(-1)
          const next = found === undefined && isLast ? nextFrame(bytes, at) : at
          if (next !== undefined) {
            throw damaged(
              file,
              at,
              found === undefined ? undefined : `frame ${found.number} in place of ${frame}`,
            )
          }
          dropped = { file, offset: at, bytes: bytes.size - at }
          break
        }
        for (const record of recordsOf(found.payload)) replay(table, record)
        frame++
        at = found.end
      }
      logBytes += at
    } finally {
      bytes.close()
    }
  }
  // Only now that nothing else is wrong.
  if (dropped !== undefined) truncateSync(dropped.file, dropped.offset)
  const { pending, deadLettered } = table.counts()
  return {
    operations: pending + deadLettered,
    ...(dropped && { dropped }),
    nextFile: (logs.at(-1) ?? base ?? 0) + 1,
    nextFrame: frame,
    logBytes,
  }
}

/** Answers with the number of the frame its log goes on with. */
function readCheckpoint(file: string, table: PendingTable<Uint8Array>): number {
  const bytes = new FileBytes(file)
  try {
    const first = readFrame(bytes, 0)
    if (first === undefined) throw damaged(file, 0)
    const head = JSON.parse(first.payload.toString()) as CheckpointHead
    if (head.format !== 1) {
      throw new CacheError(
        'ERR_JOURNAL',
        `${file} was written by a later version: format ${String(head.format)}`,
      )
    }
    const rows: Extract<JournalRecord, { type: 'row' }>['row'][] = []
    for (let at = first.end, number = 1; at < bytes.size; number++) {
      const frame = readFrame(bytes, at)
      if (frame?.number !== number) throw damaged(file, at)
      for (const record of recordsOf(frame.payload)) if (record.type === 'row') rows.push(record.row)
      at = frame.end
    }
    if (rows.length !== head.rows)
      throw damaged(file, bytes.size, `${rows.length} rows in place of ${head.rows}`)
    table.restore(rows, head.counts, head.last)
    return head.nextFrame
  } finally {
    bytes.close()
  }
}

function replay(table: PendingTable<Uint8Array>, record: JournalRecord): void {
  switch (record.type) {
    case 'put':
      return table.put(record.key, record.sequence, 'put', record.value)
    case 'delete':
      return table.put(record.key, record.sequence, 'delete', undefined)
    case 'ack':
      return table.ack(record)
    case 'fail':
    case 'die':
      return table.fail({ ...record, retryIn: record.type === 'die' ? 'never' : 0 }, record.failedAt)
    case 'retry':
      return table.retry(record.key)
    case 'drop':
      return table.drop(record.key)
    case 'row':
      throw new RangeError('a log has no rows')
  }
}

function damaged(file: string, offset: number, what = 'bytes that are not what was written'): CacheError {
  return new CacheError('ERR_JOURNAL_DAMAGED', `${file} is damaged at byte ${offset}: ${what}`)
}
