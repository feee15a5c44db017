import { CacheError, type ClaimedWrite, type Journal, UnderWay } from '@flow-cache/core'
import { PendingTable } from '../pending-table.js'
import { claimedOf, deadLettersOf, journaledOf } from '../writes.js'
import { writeCheckpoint } from './checkpoint.js'
import { takeDirectory } from './directory-lock.js'
import { type FileJournalOptions, fileSettingsOf } from './file-options.js'
import { GroupLog } from './group-log.js'
import { recordOf } from './record.js'
import { recover, type Recovery } from './recovery.js'

/** A journal in a directory. */
export interface FileJournal extends Journal {
  /** What was found when it was opened. */
  readonly recovered: Recovery
}

/**
 * A journal in a directory of its own, which is made if it is not there: an append-only log with checksums, and a
 * checkpoint of what is pending whenever the log has grown. Survives the process, and power failures as `fsync` says.
 *
 * Opening reads what a run before left, at once and before it answers. One process at a time has a directory; a
 * second is `ERR_JOURNAL_IN_USE`, what a dead one left is taken over. A torn end of the log is dropped, see
 * `recovered`; other damage is `ERR_JOURNAL_DAMAGED`, which names the file and the byte, and changes nothing. A disk
 * that is full or fails makes `put` reject with `ERR_JOURNAL`, and what was accepted before stays. Needs Node 20.15.
 */
export function fileJournal(directory: string, options: FileJournalOptions = {}): FileJournal {
  const { fsync, interval, codec, clock, segmentBytes } = fileSettingsOf(directory, options)
  const unlock = takeDirectory(directory)
  const table = new PendingTable<Uint8Array>(clock)
  let found: ReturnType<typeof recover>
  try {
    found = recover(directory, table)
  } catch (error) {
    unlock()
    throw error
  }
  let isOpen = true
  let closing: Promise<void> | undefined
  /** New keys that are on their way to the disk. */
  const entering = new UnderWay<number>()
  let checkpointing: Promise<void> | undefined
  let checkpointBytes = 0
  let syncTimer: unknown
  let isSyncDue = false

  const log = new GroupLog({
    directory,
    file: found.nextFile,
    frame: found.nextFrame,
    syncs: fsync,
    isFull: (bytes) => bytes >= Math.max(segmentBytes, 2 * checkpointBytes) && checkpointing === undefined,
    onRotate(file, frame) {
      const before = checkpointing ?? Promise.resolve()
      const rows = table.rows()
      const head = {
        format: 1,
        nextFrame: frame,
        rows: rows.length,
        last: table.last,
        counts: table.counts(),
      } as const
      const mine = before
        .then(() => writeCheckpoint(directory, file, head, rows))
        .then(
          (bytes) => void (checkpointBytes = bytes),
          // The logs it would have replaced are all there. The next one tries again.
          () => undefined,
        )
        .finally(() => {
          if (checkpointing === mine) checkpointing = undefined
        })
      checkpointing = mine
    },
  })

  const open = (): PendingTable<Uint8Array> => {
    if (isOpen) return table
    throw new CacheError('ERR_CLOSED', 'the journal is closed')
  }
  const unpack = (bytes: Uint8Array, key: string): unknown => codec.decode(bytes, key)
  const syncLater = (): void => {
    if (interval === undefined || isSyncDue || !isOpen) return
    isSyncDue = true
    syncTimer = clock.setTimer(
      () => {
        isSyncDue = false
        // A sync that fails has a new file and a checkpoint made of everything, with the next write.
        void log.sync().catch(() => undefined)
      },
      interval,
      false,
    )
  }
  const left = (key: string): void => {
    const count = entering.get(key)! - 1
    if (count === 0) entering.delete(key)
    else entering.set(key, count)
  }
  const note = async (
    record: Parameters<typeof recordOf>[0] | undefined,
    effect: () => void,
  ): Promise<void> => {
    if (record === undefined) effect()
    else {
      await log.append(recordOf(record), effect, true)
      syncLater()
    }
  }
  const read = (key: string): ReturnType<typeof journaledOf> | undefined => {
    const row = open().get(key)
    return row && journaledOf(row, unpack)
  }

  const journal: FileJournal = {
    recovered: { operations: found.operations, ...(found.dropped && { dropped: found.dropped }) },
    put(key, operation, limit) {
      const isNew = open().get(key) === undefined
      if (isNew && entering.get(key) === undefined && table.size + entering.size >= limit) return undefined
      const value = operation.kind === 'put' ? codec.encode(operation.value, key) : undefined
      const sequence = table.nextSequence()
      const record = recordOf(
        value === undefined ? { type: 'delete', key, sequence } : { type: 'put', key, sequence, value },
      )
      if (isNew) entering.set(key, (entering.get(key) ?? 0) + 1)
      return log
        .append(record, () => table.put(key, sequence, operation.kind, value))
        .finally(() => {
          if (isNew) left(key)
        })
        .then(() => {
          syncLater()
          return sequence
        })
    },
    async claim(limit, leaseMs) {
      const claimed: ClaimedWrite[] = []
      for (const row of open().claim(limit, leaseMs)) {
        try {
          claimed.push(claimedOf(row, unpack))
        } catch (error) {
          // Nobody will ever be able to write it, and it shall not hold up the others.
          const message = `the value cannot be decoded: ${(error as Error).message}`
          const { key, sequence } = row
          await journal.fail([{ key, sequence, error: message, retryIn: 'never' }])
        }
      }
      return claimed
    },
    async ack(done) {
      open()
      await Promise.all(done.map((receipt) => note({ type: 'ack', ...receipt }, () => table.ack(receipt))))
    },
    async fail(failures) {
      open()
      const failedAt = clock.now()
      await Promise.all(
        failures.map((failure) => {
          const { key, sequence, error, retryIn } = failure
          const type = retryIn === 'never' ? 'die' : 'fail'
          const record = { type, key, sequence, error: error ?? '', failedAt } as const
          const counts = error !== undefined || retryIn === 'never'
          return note(counts ? record : undefined, () => table.fail(failure, failedAt))
        }),
      )
    },
    async read(keys) {
      open()
      return new Map(
        keys.flatMap((key) => {
          const write = read(key)
          return write === undefined ? [] : [[key, write] as const]
        }),
      )
    },
    async deadLetters(limit) {
      return deadLettersOf(open().dead, limit, unpack)
    },
    async retry(keys) {
      const dead = open().deadKeys(keys)
      await Promise.all(dead.map((key) => note({ type: 'retry', key, sequence: 0 }, () => table.retry(key))))
      return dead
    },
    async drop(keys) {
      const dead = open().deadKeys(keys)
      await Promise.all(dead.map((key) => note({ type: 'drop', key, sequence: 0 }, () => table.drop(key))))
      return dead
    },
    async counts() {
      return open().counts()
    },
    close() {
      closing ??= (async () => {
        isOpen = false
        clock.clearTimer(syncTimer)
        await log.close()
        await checkpointing
        unlock()
      })()
      return closing
    },
    local: { read },
  }
  return journal
}
