import {
  type Awaitable,
  type Clock,
  type Duration,
  type LogListener,
  type Store,
  systemClock,
  toMs,
} from '@flow-cache/core'
import { Rendezvous } from './rendezvous.js'
import { isShardError, Shard } from './shard.js'

/** What {@link shardedStore} takes beside the stores. */
export interface ShardedStoreOptions {
  /**
   * How long a call to one shard may take, and 2 ms more for each further key. Less than the cache's `timeouts.store`, or the cache gives up first, and
   * leaves all shards alone for the sake of one; and no less than the `timeout` of a shard that is a `redisStore`, which
   * has this one where it is given none. Default: three quarters of that of the cache, 150 ms.
   */
  readonly timeout?: Duration | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** How much of the time that the cache waits a shard is given. */
const shareOfShard = 0.75

/** How long a shard that others share may take to give space back, or to list some keys, in milliseconds. */
const sweepTimeout = 60_000

/** How many tags are remembered whose version could not be said. Beyond it all are told to be in doubt. */
const mostUnsaid = 10_000

/**
 * A store over independent ones, each of which has a part of the keys. **A Redis Cluster is nearly always the better
 * choice:** it replaces a server that fails, moves keys when servers come and go, and is one client. This is for
 * servers that know nothing of each other.
 *
 * Which shard has a key depends on the key and the shards' names, not on their order or addresses: a shard that comes
 * takes its share of every other's keys, and nothing else moves. (Rendezvous hashing; see `rendezvous.ts`.)
 *
 * ```ts
 * shardedStore({ red: redisStore({ url: red }), blue: redisStore({ url: blue }) })
 * ```
 *
 * - A shard that fails costs its own keys: calls for them are an `ERR_SHARD`, at once after three failures. One also
 *   fails that needs several shards (`clear`, `scan`, a batch) when the others have done their part. So does one that
 *   needs the version of a tag on it, and `clear` of a cache or namespace is such a tag: a process that does not know
 *   its version yet keeps nothing until the shard is back.
 * - Every process has to name the same shards. While they do not, as during a deployment, one reads what another has
 *   deleted, until it expires. Clear a shard before it is added again: it has what was deleted meanwhile.
 * - Changes are told in the order in which one shard saw them; there is none between shards. A `clear` is told by each,
 *   and tags that a shard could not be asked about are told as changed when it is back.
 *
 * It has the groups `batch`, `keys`, `tags`, `leases` and `log`, each if every shard has it. For a tier in this process,
 * put one in front. Wrong stores or options are a `TypeError` or a `RangeError`.
 */
export function shardedStore(
  stores: Readonly<Record<string, Store>>,
  options: ShardedStoreOptions = {},
): Store {
  const shards = shardsOf(stores, options)
  const placed = new Rendezvous(shards.map(({ name }) => name))
  const shardOf = (key: string): Shard => shards[placed.indexOf(key)]!
  const every = (group: 'batch' | 'keys' | 'tags' | 'leases' | 'log'): boolean =>
    shards.every(({ store }) => store[group] !== undefined)
  const longest = every('tags') ? sweepTimeout : undefined

  /** Calls each shard that has any of the items, at once, with those it has. `failed`: a shard did. */
  const split = <T, R>(
    during: string,
    items: readonly T[],
    keyOf: (item: T) => string,
    call: (store: Store, part: readonly T[], shard: Shard) => Awaitable<R>,
    failed?: (shard: Shard) => void,
  ): Promise<readonly { readonly at: readonly number[]; readonly answer: R }[]> => {
    const parts = new Map<Shard, number[]>()
    items.forEach((item, i) => {
      const shard = shardOf(keyOf(item))
      const part = parts.get(shard)
      if (part === undefined) parts.set(shard, [i])
      else part.push(i)
    })
    const ask = async ([shard, at]: readonly [Shard, readonly number[]]) => {
      const part = at.map((i) => items[i]!)
      try {
        return { at, answer: await shard.callMany(during, part.length, (store) => call(store, part, shard)) }
      } catch (error) {
        if (isShardError(error)) failed?.(shard)
        throw error
      }
    }
    return all([...parts].map(ask))
  }
  /** The same for calls with one answer an item: all of them, in the items' order. */
  const inOrder = async <R>(
    during: string,
    names: readonly string[],
    call: (store: Store, part: readonly string[], shard: Shard) => Awaitable<readonly R[]>,
    failed?: (shard: Shard) => void,
  ): Promise<readonly R[]> => {
    const answers = new Array<R>(names.length)
    for (const { at, answer } of await split(during, names, itself, call, failed)) {
      at.forEach((i, j) => (answers[i] = answer[j]!))
    }
    return answers
  }

  const batch: Store['batch'] = {
    getMany: (keys) => inOrder('get', keys, (store, part) => store.batch!.getMany(part)),
    async setMany(entries) {
      await split(
        'set',
        entries,
        ([key]) => key,
        (store, part) => store.batch!.setMany(part),
      )
    },
    async deleteMany(keys) {
      const counts = await split('delete', keys, itself, (store, part) => store.batch!.deleteMany(part))
      return counts.reduce((sum, { answer }) => sum + answer, 0)
    },
  }

  const keys: Store['keys'] = {
    async *scan(prefix, glob) {
      for (const shard of shards) {
        const listing = shard.store.keys!.scan(prefix, glob)[Symbol.asyncIterator]()
        try {
          for (;;) {
            const { done, value } = await shard.call('list keys', () => listing.next(), sweepTimeout)
            if (done === true) break
            // Not what it has left of keys that are another's by now.
            const own = value.filter((key) => shardOf(key) === shard)
            if (own.length > 0) yield own
          }
        } finally {
          // Not waited for: it may stand behind a step that never ends.
          listing.return?.().catch(() => {})
        }
      }
    },
  }

  const listeners = new Set<LogListener>()
  /** Tags whose version nobody could say. Whoever asked may use one of its own, until a shard is back and it is told. */
  const unsaid = new Set<string>()
  let isLost = false
  const tellUnsaid = (): void => {
    for (const listener of listeners) {
      if (isLost) listener.lost()
      else for (const tag of unsaid) listener.changed({ kind: 'tag', tag })
    }
    unsaid.clear()
    isLost = false
  }

  const tags: Store['tags'] = {
    // A shard that fails leaves a gap: of its tags nothing can be said later, of the others' it can.
    async position() {
      const positions = await Promise.allSettled(
        shards.map(async (shard) => shard.call('read the tags', (store) => store.tags!.position())),
      )
      const failed = positions.filter((position) => position.status === 'rejected')
      const fatal =
        failed.length === shards.length ? failed[0] : failed.find(({ reason }) => !isShardError(reason))
      if (fatal !== undefined) throw fatal.reason
      return JSON.stringify(
        positions.map((position) => (position.status === 'fulfilled' ? position.value : null)),
      )
    },
    versions(names, since) {
      const positions = since === undefined ? undefined : (JSON.parse(since) as (string | null)[])
      return inOrder<string | undefined>(
        'read the tags',
        names,
        async (store, part, shard) => {
          const from = positions?.[shards.indexOf(shard)]
          const versions = await store.tags!.versions(part, from ?? undefined)
          return from === null ? part.map(() => undefined) : versions
        },
        (shard) => {
          for (const name of names) unsaid.add(name)
          isLost ||= unsaid.size > mostUnsaid
          shard.onBack = tellUnsaid
        },
      )
    },
    async invalidate(names) {
      const invalidate = (store: Store, part: readonly string[]) => store.tags!.invalidate(part)
      await split('invalidate tags', names, itself, invalidate, (shard) => {
        // Nothing is asked about any tag before this is done.
        isLost = true
        shard.onBack = tellUnsaid
      })
    },
  }

  const leases: Store['leases'] = {
    acquire: (key, ...rest) =>
      shardOf(key).call('lend a key', (store) => store.leases!.acquire(key, ...rest)),
    commit: (key, ...rest) => shardOf(key).call('set', (store) => store.leases!.commit(key, ...rest)),
    renew: (key, ...rest) => shardOf(key).call('renew a lease', (store) => store.leases!.renew(key, ...rest)),
    release: (key, token) => shardOf(key).call('end a lease', (store) => store.leases!.release(key, token)),
    expire: (key) => shardOf(key).call('expire', (store) => store.leases!.expire(key)),
  }

  const log: Store['log'] = {
    follow(listener) {
      const blind = new Set<Shard>()
      listeners.add(listener)
      const stops = shards.map((shard) =>
        shard.store.log!.follow({
          changed: (change) => listener.changed(change),
          lost: () => listener.lost(),
          blind(isBlind) {
            const before = blind.size > 0
            if (isBlind) blind.add(shard)
            else blind.delete(shard)
            if (before !== blind.size > 0) listener.blind?.(isBlind)
          },
          failed: (error) => listener.failed?.(error),
        }),
      )
      return () => {
        listeners.delete(listener)
        for (const stop of stops) stop()
      }
    },
  }

  return {
    patience(ms) {
      const { timeout } = options
      if (timeout === undefined) for (const shard of shards) shard.patience(ms * shareOfShard)
      else if (toMs(timeout, 'timeout') >= ms) {
        throw new RangeError(
          `shardedStore: timeout (${toMs(timeout, 'timeout')} ms) must be less than timeouts.store (${ms} ms): the cache would leave all shards alone for the sake of one`,
        )
      }
    },
    tiers: tiersOf(shards),
    get: (key) => shardOf(key).call('get', (store) => store.get(key)),
    set: (key, entry) => shardOf(key).call('set', (store) => store.set(key, entry)),
    delete: (key) => shardOf(key).call('delete', (store) => store.delete(key)),
    async clear(prefix) {
      await all(shards.map(async (shard) => shard.call('clear', (store) => store.clear(prefix), longest)))
    },
    async close() {
      await all(shards.map(async ({ store }) => store.close()))
    },
    ...(every('batch') && { batch }),
    ...(every('keys') && { keys }),
    ...(every('tags') && { tags }),
    ...(every('leases') && { leases }),
    ...(every('log') && { log }),
  }
}

const itself = (key: string): string => key

/** The answers when all calls have ended, so that none takes effect after the failure that one of them may be. */
async function all<T>(calls: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(calls)
  return Promise.all(calls)
}

function tiersOf(shards: readonly Shard[]): readonly string[] {
  const lists = shards.map(({ store }) => store.tiers ?? ['store'])
  const depth = Math.max(...lists.map((tiers) => tiers.length))
  return Array.from({ length: depth }, (_, i) =>
    [...new Set(lists.flatMap((tiers) => tiers[i] ?? []))].join('/'),
  )
}

function shardsOf(stores: Readonly<Record<string, Store>>, options: ShardedStoreOptions): readonly Shard[] {
  if (typeof stores !== 'object' || stores === null || Array.isArray(stores)) {
    throw new TypeError('stores must be an object of stores by their names, which never change')
  }
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
  for (const option of Object.keys(options)) {
    if (option !== 'timeout' && option !== 'clock') {
      throw new TypeError(`shardedStore: unknown option '${option}'; it takes timeout, clock`)
    }
  }
  const { timeout = 200 * shareOfShard, clock = systemClock } = options
  const ms = toMs(timeout, 'timeout')
  // In an order of their own, so that not even a tie depends on how they were written down.
  const names = Object.keys(stores).toSorted()
  if (names.length === 0) throw new TypeError('stores must have at least one store')
  return names.map((name, i) => {
    const store: Partial<Store> | undefined | null = stores[name]
    if (typeof store?.get !== 'function') throw new TypeError(`stores.${name} must be a store`)
    const twin = names.slice(0, i).find((other) => stores[other] === store)
    if (twin !== undefined) throw new TypeError(`stores.${name} must be another store than stores.${twin}`)
    return new Shard(name, store as Store, clock, ms)
  })
}
