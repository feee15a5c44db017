import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredRow } from '../pending-table.js'
import { frameLimit, frameOf } from './frame.js'
import { recordOf } from './record.js'
import { type CheckpointHead, checkpointName } from './recovery.js'
import { syncDirectory } from './sync-directory.js'

/**
 * Writes everything that is pending to a file of its own, which counts from the moment it has its name, and removes
 * the logs before it. Answers with its bytes.
 */
export async function writeCheckpoint(
  directory: string,
  number: number,
  head: CheckpointHead,
  rows: readonly StoredRow<Uint8Array>[],
): Promise<number> {
  const name = join(directory, checkpointName(number))
  const unfinished = `${name}.tmp`
  let size = 0
  try {
    const file = await open(unfinished, 'w')
    try {
      for (const frame of frames(head, rows)) {
        await file.writeFile(frame)
        size += frame.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, name)
    syncDirectory(directory)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  for (const other of await readdir(directory)) {
    if (/^\d{10}\.(log|checkpoint)/.test(other) && Number.parseInt(other, 10) < number) {
      await rm(join(directory, other), { force: true })
    }
  }
  return size
}

function* frames(head: CheckpointHead, rows: readonly StoredRow<Uint8Array>[]): Generator<Buffer> {
  yield frameOf(0, [Buffer.from(JSON.stringify(head))])
  let number = 1
  let records: Buffer[] = []
  let length = 0
  for (const row of rows) {
    const record = recordOf({ type: 'row', row })
    records.push(record)
    length += record.length
    if (length < frameLimit / 8) continue
    yield frameOf(number++, records)
    records = []
    length = 0
  }
  if (records.length > 0) yield frameOf(number, records)
}
