import { randomId, type Tags } from '@flow-cache/core'
import type { CacheFile } from './cache-file.js'
import type { ChangeLog } from './change-log.js'
import { bytesOf, textOf } from './bytes.js'
import type { Settings } from './options.js'
import type { Sweeper } from './sweeper.js'

/** How exactly it is known when a tag was used last: a write for each use would cost more than the tag. */
const day = 24 * 3_600_000

/** What `put` makes: a position, and what nobody else has made. */
const isVersion = /^\d+-[\da-z]+$/

/** What tags are made of. */
interface Parts {
  readonly file: CacheFile
  readonly log: ChangeLog
  readonly sweeper: Sweeper
  readonly settings: Settings
  /** Like `file.transact`, and the log knows how it ended. */
  transact<T>(work: () => T): T
}

/**
 * The versions of tags in the file. A version begins with the number of the change that made it, so that a position in
 * the log tells which came later. One that nobody invalidated begins with the horizon: the change up to which a tag that
 * is unknown now may have been known, and forgotten.
 */
export function tagsIn({ file, log, sweeper, settings: { clock, tagTtl }, transact }: Parts): Tags {
  const known = (name: string): string | undefined => {
    const row = file.sql.tag.get([bytesOf(name)])
    if (row === undefined) return undefined
    const version = textOf(row[0])
    if (!isVersion.test(version)) return undefined
    const now = clock.now()
    if (now - Number(row[1]) > Math.min(day, tagTtl / 2)) file.sql.useTag.run([now, bytesOf(name)])
    return version
  }
  const put = (name: string, position: number): string => {
    const version = `${position}-${randomId()}`
    file.sql.putTag.run([bytesOf(name), version, clock.now()])
    sweeper.note(clock.now() + tagTtl)
    return version
  }
  /** News too: another process may remember a version that was forgotten since. */
  const make = (name: string): string => {
    // One that is damaged may have been invalidated at any time until now.
    const isDamaged = file.sql.tag.get([bytesOf(name)]) !== undefined
    const position = isDamaged ? log.position + 1 : Number(file.sql.horizon.get([])![0])
    const version = put(name, position)
    log.append({ kind: 'tag', tag: name, version })
    return version
  }

  return {
    position: () => String(log.position),

    versions(names, since) {
      let versions = names.map(known)
      if (versions.includes(undefined)) {
        versions = transact(() => names.map((name) => known(name) ?? make(name)))
      }
      if (since === undefined) return versions
      return versions.map((version) => (Number.parseInt(version!, 10) > Number(since) ? undefined : version))
    },

    invalidate(names) {
      transact(() => {
        for (const name of names) {
          // The number is there before the version that carries it.
          const version = put(name, log.position + 1)
          log.append({ kind: 'tag', tag: name, version })
        }
      })
    },
  }
}
