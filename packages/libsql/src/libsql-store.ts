import type { Entry, Store } from '@flow-cache/core'
import { CacheFile } from './cache-file.js'
import { ChangeLog } from './change-log.js'
import { Entries } from './entries.js'
import { bytesOf, endOf } from './bytes.js'
import { leasesIn } from './leases.js'
import { type LibsqlStoreOptions, settingsOf } from './options.js'
import { Room } from './room.js'
import { Sweeper } from './sweeper.js'
import { tagsIn } from './tags.js'

/**
 * A store in a file of this machine, on libsql: it survives restarts and kills, and any number of processes may share
 * it. Every group of the contract but `local`.
 *
 * Calls are synchronous: each holds the event loop for some microseconds, and a write that has to wait for another
 * process's for as long as that takes, at most `busyTimeout`. A change, what it does to leases, and its place in the
 * log are one transaction.
 *
 * Wrong options are a `TypeError` or a `RangeError`, and a file that cannot be opened, is damaged, or is something
 * else is a `CacheError` with the code `ERR_STORE`, both at once.
 */
export function libsqlStore(options: LibsqlStoreOptions): Store {
  const settings = settingsOf(options)
  const file = new CacheFile(settings)
  const room = new Room(file, settings.maxBytes)
  const sweeper = new Sweeper(file, settings)
  const entries = new Entries(file, settings, room, sweeper)
  const log = new ChangeLog(file, settings)

  /** One step, after which who follows is told of what had to make room for it. */
  function transact<T>(work: () => T): T {
    let answer: T
    try {
      answer = file.transact(work)
    } catch (error) {
      log.ended(false)
      room.forget()
      throw error
    }
    log.ended(true)
    room.tell()
    return answer
  }
  function put(key: string, entry: Entry, bytes: Uint8Array): void {
    file.sql.revoke.run([bytesOf(key)])
    entries.put(key, entry, bytes)
    log.append({ kind: 'key', key })
  }
  function remove(key: string): boolean {
    file.sql.revoke.run([bytesOf(key)])
    log.append({ kind: 'key', key })
    return entries.delete(key)
  }

  return {
    tiers: ['libsql'],
    get: (key) => entries.get(key),
    set(key, entry) {
      const bytes = entries.pack(key, entry)
      transact(() => put(key, entry, bytes))
    },
    delete: (key) => transact(() => remove(key)),
    clear: (prefix = '') =>
      transact(() => {
        const name = bytesOf(prefix)
        if (prefix === '') file.sql.revokeAll.run([])
        else file.sql.revokeBetween.run([name, endOf(name) ?? null])
        entries.clear(prefix)
        log.append({ kind: 'clear', prefix })
      }),
    close() {
      sweeper.stop()
      log.stop()
      file.close()
    },
    batch: {
      getMany: (keys) => keys.map((key) => entries.get(key)),
      setMany(pairs) {
        const packed = pairs.map(([key, entry]) => [key, entry, entries.pack(key, entry)] as const)
        transact(() => packed.forEach(([key, entry, bytes]) => put(key, entry, bytes)))
      },
      deleteMany: (keys) => transact(() => keys.filter(remove).length),
    },
    keys: { scan: (prefix, glob) => entries.scan(prefix, glob) },
    tags: tagsIn({ file, log, sweeper, settings, transact }),
    leases: leasesIn({ file, entries, log, sweeper, settings, transact }),
    log,
    evictions: { follow: (listener) => room.follow(listener) },
  }
}
