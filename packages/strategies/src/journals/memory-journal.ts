import { CacheError, type Clock, cloneOf, type Journal, systemClock } from '@flow-cache/core'
import { checkClock, checkNames } from '../checks.js'
import { PendingTable } from './pending-table.js'
import { claimedOf, deadLettersOf, journaledOf } from './writes.js'

/** What {@link memoryJournal} takes. */
export interface MemoryJournalOptions {
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/**
 * A journal that loses everything not yet at the origin when its process ends, however that ends; only `close` of the
 * cache, in time, brings it there.
 *
 * For writes that may be lost, and for tests. Values are copied on their way in and out: plain data, else `ERR_VALUE`.
 */
export function memoryJournal(options: MemoryJournalOptions = {}): Journal {
  checkNames(options, ['clock'], 'memoryJournal')
  const { clock = systemClock } = options
  checkClock(clock)
  const table = new PendingTable<unknown>(clock)
  let isOpen = true
  const open = (): PendingTable<unknown> => {
    if (isOpen) return table
    throw new CacheError('ERR_CLOSED', 'the journal is closed')
  }
  const read = (key: string): ReturnType<typeof journaledOf> | undefined => {
    const row = open().get(key)
    return row && journaledOf(row, cloneOf)
  }
  return {
    put(key, operation, limit) {
      if (!open().hasRoom(key, limit)) return undefined
      const value = operation.kind === 'put' ? cloneOf(operation.value) : undefined
      const sequence = table.nextSequence()
      table.put(key, sequence, operation.kind, value)
      return sequence
    },
    claim: (limit, leaseMs) =>
      open()
        .claim(limit, leaseMs)
        .map((row) => claimedOf(row, cloneOf)),
    ack: (done) => done.forEach((receipt) => open().ack(receipt)),
    fail: (failures) => failures.forEach((failure) => open().fail(failure)),
    read(keys) {
      open()
      return new Map(
        keys.flatMap((key) => {
          const write = read(key)
          return write === undefined ? [] : [[key, write] as const]
        }),
      )
    },
    deadLetters: (limit) => deadLettersOf(open().dead, limit, cloneOf),
    retry(keys) {
      const dead = open().deadKeys(keys)
      for (const key of dead) table.retry(key)
      return dead
    },
    drop(keys) {
      const dead = open().deadKeys(keys)
      for (const key of dead) table.drop(key)
      return dead
    },
    counts: () => open().counts(),
    close() {
      isOpen = false
    },
    local: { read },
  }
}
