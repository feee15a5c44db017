import type { Clock } from '../clock.js'
import { createEntry, type Entry, graceOf } from '../entry.js'
import { CacheError } from '../errors.js'
import { matchGlob } from '../glob.js'
import type { Awaitable, Change, LogListener, Store } from '../store.js'

/** Stands in for a server that several processes share: what a Redis does, in a `Map`. */
export interface SharedServer {
  /** The store of one more process. It answers later, by a turn or as `pace` says. */
  connect(): SharedStore
  /** Loses a tag's version, as an eviction would. */
  forgetTag(name: string): void
  /** Loses everything, as a restart without a disk would; connections learn that they cannot catch up. */
  restart(): void
}

/** One process's connection, whose line to the log can be cut. */
export interface SharedStore extends Store {
  /** Hears no more of what others change. Reads and writes go on. */
  cut(): void
  /** Hears again: what was missed, in order; or, if the log no longer reaches back, that it is lost. */
  mend(trimmed?: boolean): void
}

interface Slot {
  entry: Entry | undefined
  lease: { readonly token: string; readonly until: number } | undefined
}

interface Connection {
  listener: LogListener | undefined
  missed: Change[] | undefined
}

/**
 * A server in memory with every group of the store contract, for tests of what several processes promise each
 * other. Values are copied on their way in and out, as bytes would be.
 *
 * `pace` is awaited before each call takes effect and again before it answers; default: one turn.
 */
export function sharedServer(
  clock: Pick<Clock, 'now'>,
  pace?: (call: string) => Awaitable<void>,
): SharedServer {
  const slots = new Map<string, Slot>()
  const tags = new Map<string, string>()
  const connections = new Set<Connection>()
  /** Counts invalidations; a tag's version begins with the count at its making. */
  let position = 0
  /** No position before this can vouch for a tag that is unknown now. */
  let horizon = 0
  let versions = 0

  const slotOf = (key: string): Slot => {
    const slot = slots.get(key) ?? { entry: undefined, lease: undefined }
    if (slot.entry !== undefined && clock.now() >= slot.entry.expiresAt) slot.entry = undefined
    if (slot.lease !== undefined && clock.now() >= slot.lease.until) slot.lease = undefined
    return slot
  }
  const keep = (key: string, entry: Entry | undefined, lease?: Slot['lease']): void => {
    if (entry === undefined && lease === undefined) slots.delete(key)
    else slots.set(key, { entry, lease })
  }
  const versionOf = (name: string): string => {
    let version = tags.get(name)
    if (version === undefined) {
      version = `${horizon}-${++versions}`
      tags.set(name, version)
    }
    return version
  }
  const live = (entry: Entry): Entry | undefined =>
    clock.now() < entry.expiresAt ? copyOf(entry) : undefined

  const connect = (): SharedStore => {
    const me: Connection = { listener: undefined, missed: undefined }
    connections.add(me)
    let last: Promise<unknown> = Promise.resolve()
    let isClosed = false

    /** One call: in the order of the calls, each after its pace. */
    const call = <T>(name: string, effect: () => T): Promise<T> => {
      const done = last.then(() => pace?.(`${name} takes effect`)).then(effect)
      last = done.catch(() => {})
      return done.then(async (answer) => {
        await pace?.(`${name} answers`)
        return answer
      })
    }
    const tell = (change: Change): void => {
      for (const other of connections) {
        if (other === me) continue
        if (other.missed !== undefined) other.missed.push(change)
        else other.listener?.changed(change)
      }
    }
    const get = (key: string): Entry | undefined => {
      const { entry } = slotOf(key)
      return entry && copyOf(entry)
    }
    const set = (key: string, entry: Entry): void => {
      if (isClosed) throw new CacheError('ERR_CLOSED', 'this connection is closed', { key })
      keep(key, live(entry))
      tell({ kind: 'key', key })
    }
    const remove = (key: string): boolean => {
      const found = slotOf(key).entry !== undefined
      slots.delete(key)
      tell({ kind: 'key', key })
      return found
    }
    const holds = (key: string, token: string): boolean => slotOf(key).lease?.token === token

    return {
      tiers: ['shared'],
      get: (key) => call('get', () => get(key)),
      set: (key, entry) => call('set', () => set(key, entry)),
      delete: (key) => call('delete', () => remove(key)),
      clear: (prefix = '') =>
        call('clear', () => {
          for (const key of slots.keys()) if (key.startsWith(prefix)) slots.delete(key)
          tell({ kind: 'clear', prefix })
        }),
      close() {
        isClosed = true
        connections.delete(me)
      },
      batch: {
        getMany: (keys) => call('getMany', () => keys.map(get)),
        setMany: (entries) => call('setMany', () => entries.forEach(([key, entry]) => set(key, entry))),
        deleteMany: (keys) => call('deleteMany', () => keys.filter(remove).length),
      },
      keys: {
        async *scan(prefix, glob = '*') {
          const matches = (key: string): boolean =>
            key.startsWith(prefix) && matchGlob(glob, key.slice(prefix.length))
          yield await call('scan', () => [...slots.keys()].filter(matches))
        },
      },
      tags: {
        position: () => call('position', () => String(position)),
        versions: (names, since) =>
          call('versions', () =>
            names.map((name) => {
              const version = versionOf(name)
              return since !== undefined && Number.parseInt(version, 10) > Number(since) ? undefined : version
            }),
          ),
        invalidate: (names) =>
          call('invalidate', () => {
            position++
            for (const tag of names) {
              tags.set(tag, `${position}-${++versions}`)
              tell({ kind: 'tag', tag })
            }
          }),
      },
      leases: {
        acquire: (key, token, termMs, always = false) =>
          call('acquire', () => {
            const { entry, lease } = slotOf(key)
            const found = entry && copyOf(entry)
            if (found !== undefined && !always && clock.now() < found.staleAt)
              return { status: 'fresh', entry: found }
            if (lease !== undefined && lease.token !== token) {
              return { status: 'taken', entry: found, remainingMs: lease.until - clock.now() }
            }
            keep(key, entry, { token, until: clock.now() + termMs })
            return { status: 'leased', entry: found }
          }),
        commit: (key, token, entry) =>
          call('commit', () => {
            const held = holds(key, token)
            if (held) keep(key, live(entry))
            return held
          }),
        renew: (key, token, termMs) =>
          call('renew', () => {
            const held = holds(key, token)
            if (held) keep(key, slotOf(key).entry, { token, until: clock.now() + termMs })
            return held
          }),
        release: (key, token) =>
          call('release', () => {
            if (holds(key, token)) keep(key, slotOf(key).entry)
          }),
        expire: (key) =>
          call('expire', () => {
            const { entry } = slotOf(key)
            const now = clock.now()
            if (entry !== undefined && now < entry.staleAt) {
              const ttl = Math.max(0, Math.floor(now - entry.createdAt))
              keep(key, live(createEntry({ ...fieldsOf(entry), ttl })))
            } else keep(key, entry)
            tell({ kind: 'key', key })
            return entry !== undefined
          }),
      },
      log: {
        follow(listener) {
          me.listener = listener
          return () => {
            me.listener = undefined
          }
        },
      },
      cut() {
        me.missed ??= []
      },
      mend(trimmed = false) {
        const missed = me.missed ?? []
        me.missed = undefined
        if (trimmed) me.listener?.lost()
        else for (const change of missed) me.listener?.changed(change)
      },
    }
  }

  return {
    connect,
    forgetTag(name) {
      // It may have been invalidated at any time up to now.
      horizon = ++position
      tags.delete(name)
    },
    restart() {
      horizon = ++position
      slots.clear()
      tags.clear()
      for (const connection of connections) connection.listener?.lost()
    },
  }
}

/** An entry as it comes back from bytes: nothing in it is the one that went in. */
function copyOf(entry: Entry): Entry {
  return createEntry({ ...fieldsOf(entry), value: structuredClone(entry.value) })
}

function fieldsOf(entry: Entry): Parameters<typeof createEntry>[0] {
  const { value, createdAt, staleAt, loadMs, version } = entry
  const tags = entry.tags?.map((tag) => ({ name: tag.name, version: tag.version }))
  return { value, createdAt, ttl: staleAt - createdAt, grace: graceOf(entry), loadMs, tags, version }
}
