import { type Acquired, createEntry, graceOf, type Leases } from '@flow-cache/core'
import type { CacheFile } from './cache-file.js'
import type { ChangeLog } from './change-log.js'
import type { Entries } from './entries.js'
import { bytesOf, textOf } from './bytes.js'
import type { Settings } from './options.js'
import type { Sweeper } from './sweeper.js'

/** What a lease is made of. */
interface Parts {
  readonly file: CacheFile
  readonly entries: Entries
  readonly log: ChangeLog
  readonly sweeper: Sweeper
  readonly settings: Settings
  /** Like `file.transact`, and the log knows how it ended, and who follows what had to make room. */
  transact<T>(work: () => T): T
}

/** Leases in the file: a row beside the entry, looked at and changed in one transaction with it. */
export function leasesIn({ file, entries, log, sweeper, settings: { clock }, transact }: Parts): Leases {
  /** The lease's holder and end, if it has not ended. */
  const leaseOf = (key: string) => {
    const row = file.sql.lease.get([bytesOf(key), clock.now()])
    return row && { token: textOf(row[0]), endsAt: Number(row[1]) }
  }
  const lend = (key: string, token: string, termMs: number): void => {
    file.sql.lend.run([bytesOf(key), token, clock.now() + termMs])
    sweeper.note(clock.now() + termMs)
  }
  const holds = (key: string, token: string): boolean => leaseOf(key)?.token === token

  const acquire = (key: string, token: string, termMs: number, always: boolean): Acquired => {
    const entry = entries.find(key)
    if (entry !== undefined && !always && clock.now() < entry.staleAt) return { status: 'fresh', entry }
    const lease = leaseOf(key)
    if (lease !== undefined && lease.token !== token)
      return { status: 'taken', entry, remainingMs: lease.endsAt - clock.now() }
    lend(key, token, termMs)
    return { status: 'leased', entry }
  }

  return {
    acquire(key, token, termMs, always = false) {
      if (!always) {
        // Without a transaction: whoever only reads stands in nobody's way.
        const entry = entries.find(key)
        if (entry !== undefined && clock.now() < entry.staleAt) return { status: 'fresh', entry }
      }
      return transact(() => acquire(key, token, termMs, always))
    },

    commit(key, token, entry) {
      const bytes = entries.pack(key, entry)
      return transact(() => {
        if (!holds(key, token)) return false
        file.sql.revoke.run([bytesOf(key)])
        entries.put(key, entry, bytes)
        return true
      })
    },

    renew: (key, token, termMs) =>
      transact(() => {
        if (!holds(key, token)) return false
        lend(key, token, termMs)
        return true
      }),

    release: (key, token) =>
      transact(() => {
        if (holds(key, token)) file.sql.revoke.run([bytesOf(key)])
      }),

    expire: (key) =>
      transact(() => {
        file.sql.revoke.run([bytesOf(key)])
        const entry = entries.find(key)
        const now = clock.now()
        if (entry !== undefined && now < entry.staleAt) {
          const { value, createdAt, loadMs, tags, version } = entry
          const ttl = Math.max(0, Math.floor(now - createdAt))
          const stale = createEntry({ value, createdAt, ttl, grace: graceOf(entry), loadMs, tags, version })
          entries.put(key, stale, entries.pack(key, stale))
        }
        log.append({ kind: 'key', key })
        return entry !== undefined
      }),
  }
}
