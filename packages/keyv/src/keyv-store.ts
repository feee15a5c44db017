import {
  CacheError,
  type Clock,
  type Codec,
  type Entry,
  matchGlob,
  type Store,
  systemClock,
} from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import { checkCodec, checkNames, wrong } from './checks.js'
import { entryOf, textOf } from './entry-text.js'
import { connect, type KeyvAdapter, type Sent } from './keyv-adapter.js'
import { Turns } from './turns.js'

/** What {@link keyvStore} takes beside the adapter. */
export interface KeyvStoreOptions {
  /** The adapter's namespace, which this store has for itself. Default: the adapter's own, or `'flow-cache'`. */
  readonly namespace?: string | undefined
  /** Turns values into bytes. Default: `plainCodec`, which keeps plain data of every kind. */
  readonly codec?: Codec | undefined
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** How long after its end an adapter keeps an entry: what has ended is told by its instants, not by its absence. */
const slack = 1_000

/** How many keys are listed together. */
const pageSize = 100

/**
 * A store over a storage adapter of Keyv 5 or 6, such as those for Redis, SQLite, PostgreSQL, MongoDB, Memcached or
 * DynamoDB, or over a `Map`. It has `batch` where the adapter takes many keys at once, and `keys` where it iterates.
 * It has no `tags`, `leases` or `log`: processes that share it load each for itself, and do not hear of each other.
 */
export function keyvStore(adapter: KeyvAdapter, options: KeyvStoreOptions = {}): Store {
  if (typeof adapter?.get !== 'function' || typeof adapter.set !== 'function') {
    wrong('adapter', 'a storage adapter of Keyv or a Map', adapter)
  }
  if ('serializeData' in adapter || 'getRaw' in adapter) {
    throw new TypeError('adapter must be a storage adapter, not a Keyv: give its `store`')
  }
  checkNames(options, ['namespace', 'codec', 'clock'], 'keyvStore')
  const { codec = plainCodec, clock = systemClock } = options
  checkCodec(codec)
  if (typeof clock?.now !== 'function') wrong('clock', 'an object with now()', clock)
  const namespace = options.namespace ?? adapter.namespace ?? 'flow-cache'
  if (typeof namespace !== 'string' || namespace === '') wrong('namespace', 'a non-empty string', namespace)
  const keyv = connect(adapter, namespace, () => clock.now())
  const { getMany, setMany, deleteMany, list } = keyv
  const turns = new Turns()
  let closed = false

  /** The entry, if its time is not over. */
  function living(key: string, text: unknown): Entry | undefined {
    const entry = entryOf(key, text, codec)
    return entry !== undefined && clock.now() < entry.expiresAt ? entry : undefined
  }

  /** The same where it does not matter whether the entry can be read. */
  function lives(key: string, text: unknown): boolean {
    try {
      return living(key, text) !== undefined
    } catch {
      return false
    }
  }

  const assertOpen = (): void => {
    if (closed) throw new CacheError('ERR_CLOSED', 'the store is closed')
  }

  /** What is sent for an entry; `undefined` for one that has expired. */
  function sent(key: string, entry: Entry): Sent | undefined {
    const left = entry.expiresAt - clock.now()
    if (!(left > 0)) return undefined
    return [key, textOf(key, entry, codec), left === Infinity ? undefined : Math.ceil(left) + slack]
  }

  const store: Store = {
    tiers: ['keyv'],

    get: (key) => turns.run([key], async () => living(key, await keyv.get(key))),

    async set(key, entry) {
      assertOpen()
      const made = sent(key, entry)
      return turns.run([key], () => (made === undefined ? keyv.delete(key) : keyv.set(...made)))
    },

    delete: (key) =>
      turns.run([key], async () => {
        const found = lives(key, await keyv.get(key))
        await keyv.delete(key)
        return found
      }),

    clear: (prefix = '') =>
      turns.runAll(async () => {
        if (prefix === '') return keyv.clear()
        if (list === undefined) {
          throw new CacheError('ERR_UNSUPPORTED', 'clearing a namespace needs an adapter with an iterator')
        }
        const gone: string[] = []
        for await (const [key] of list()) if (key.startsWith(prefix)) gone.push(key)
        await (deleteMany === undefined ? Promise.all(gone.map((key) => keyv.delete(key))) : deleteMany(gone))
      }),

    async close() {
      if (closed) return
      closed = true
      await turns.runAll(() => keyv.close())
    },
  }

  const batch: Store['batch'] = getMany && {
    getMany: (keys) =>
      turns.run(keys, async () => {
        const texts = await getMany(keys)
        return keys.map((key, i) => living(key, texts[i]))
      }),

    async setMany(entries) {
      assertOpen()
      // The last one of a key counts.
      const made = new Map(entries.map(([key, entry]) => [key, sent(key, entry)]))
      const kept = [...made.values()].filter((one) => one !== undefined)
      const gone = [...made.keys()].filter((key) => made.get(key) === undefined)
      await turns.run([...made.keys()], async () => {
        await Promise.all([
          kept.length > 0 && setMany !== undefined
            ? setMany(kept)
            : Promise.all(kept.map((one) => keyv.set(...one))),
          ...gone.map((key) => keyv.delete(key)),
        ])
      })
    },

    deleteMany: (keys) =>
      turns.run(keys, async () => {
        const own = [...new Set(keys)]
        const texts = await getMany(own)
        const found = own.filter((key, i) => lives(key, texts[i])).length
        await (deleteMany === undefined ? Promise.all(own.map((key) => keyv.delete(key))) : deleteMany(own))
        return found
      }),
  }

  const keys: Store['keys'] = list && {
    async *scan(prefix, glob = '*') {
      await turns.runAll(async () => {})
      let page: string[] = []
      for await (const [key, text] of list()) {
        if (!key.startsWith(prefix) || !matchGlob(glob, key.slice(prefix.length)) || !lives(key, text))
          continue
        if (page.push(key) < pageSize) continue
        yield page
        page = []
      }
      if (page.length > 0) yield page
    },
  }

  return { ...store, ...(batch && { batch }), ...(keys && { keys }) }
}
