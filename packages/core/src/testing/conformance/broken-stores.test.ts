import { describe, expect, it } from 'vitest'
import { createEntry, type Entry, graceOf } from '../../entry.js'
import type { Store } from '../../store.js'
import { fakeClock, type FakeClock } from '../fake-clock.js'
import { mapStore } from '../map-store.js'
import { sharedServer } from '../shared-server.js'
import { casesFor } from './store-cases.js'

interface Broken {
  /** What a store does that breaks a promise. */
  readonly does: string
  readonly store: (store: Store, clock: FakeClock) => Store
  /** The case that says so first. */
  readonly caughtBy: string
  /** What it saw. */
  readonly seen: string
  /** Of what is asked, the words that help. */
  readonly asked: string
}

/** Keeps every entry as this says. */
const setting = (store: Store, keptAs: (entry: Entry) => Entry): Store => ({
  ...store,
  set: (key, entry) => store.set(key, keptAs(entry)),
})

const fieldsOf = (entry: Entry) => ({
  value: entry.value,
  createdAt: entry.createdAt,
  ttl: entry.staleAt - entry.createdAt,
  grace: graceOf(entry),
  loadMs: entry.loadMs,
  tags: entry.tags,
  version: entry.version,
})

const stores: readonly Broken[] = [
  {
    does: 'forgets the ttl',
    store: (store) => setting(store, (entry) => createEntry({ ...fieldsOf(entry), ttl: Infinity })),
    caughtBy: 'an entry keeps its instants, its load time and its version',
    seen: 'staleAt came back as Infinity, not 17',
    asked: 'createdAt, the ttl (staleAt - createdAt), graceOf(entry), loadMs and version',
  },
  {
    does: 'keeps no instants and trusts a time to live in whole seconds',
    store(store, clock) {
      const ends = new Map<string, number>()
      return {
        ...store,
        set(key, entry) {
          ends.set(key, clock.now() + Math.ceil((entry.expiresAt - clock.now()) / 1_000) * 1_000)
          return store.set(key, createEntry({ ...fieldsOf(entry), grace: Infinity }))
        },
        get: async (key) => (clock.now() < (ends.get(key) ?? 0) ? store.get(key) : undefined),
      }
    },
    caughtBy: 'an entry is gone at the very instant it expires, and not before',
    seen: "get('a') gave 1 at the instant it expires",
    asked: 'get compares expiresAt with the clock at every read',
  },
  {
    does: 'returns expired entries',
    store(store) {
      const kept = new Map<string, Entry>()
      return {
        ...store,
        set: (key, entry) => (kept.set(key, entry), store.set(key, entry)),
        get: (key) => kept.get(key),
        delete: (key) => kept.delete(key),
        clear: (prefix) => (kept.clear(), store.clear(prefix)),
      }
    },
    caughtBy: 'an entry is gone at the very instant it expires, and not before',
    seen: "get('a') gave 1 at the instant it expires",
    asked: 'there while now < expiresAt, gone from then on',
  },
  ...[0, '', false, null, undefined].map((value): Broken => ({
    does: `loses ${value === '' ? 'empty texts' : String(value)}`,
    store: (store) => ({
      ...store,
      get: async (key) => {
        const found = await store.get(key)
        return found !== undefined && Object.is(found.value, value) ? undefined : found
      },
    }),
    caughtBy: `${value === '' ? "''" : String(value)} is kept as it is`,
    seen: `get('a') found nothing, where set had put ${value === '' ? "''" : String(value)}`,
    asked: '0, an empty text, false, null, NaN and undefined are values like others',
  })),
  {
    does: 'keeps JSON',
    store: (store) =>
      setting(store, (entry) =>
        createEntry({ ...fieldsOf(entry), value: JSON.parse(JSON.stringify(entry.value) ?? 'null') }),
      ),
    caughtBy: 'NaN is kept as it is',
    seen: "get('a') gave null, where set had put NaN",
    asked: 'plainCodec of @flow-cache/core/codec keeps them',
  },
  {
    does: 'makes texts of dates',
    store: (store) =>
      setting(store, (entry) => {
        const { at } = Object(entry.value) as { at?: Date }
        return at === undefined ? entry : createEntry({ ...fieldsOf(entry), value: { at: at.toJSON() } })
      }),
    caughtBy: 'a date comes back equal, or is refused with ERR_VALUE',
    seen: `get('a') gave {"at":'1970-01-01T00:00:00.003Z'}, where set had put {"at":Date(3)}`,
    asked: 'one that cannot be kept is refused by set, with a CacheError with the code ERR_VALUE',
  },
  {
    does: 'shares objects',
    store: (_, clock) => {
      const { local: _local, keys: _keys, ...store } = mapStore(clock)
      return store
    },
    caughtBy: 'what is done to a value later changes nothing that is kept',
    seen: `get('a') gave {"list":[1,2]} after the caller had changed its own object, where set had put {"list":[1]}`,
    asked: 'keeps bytes, or copies, and hands out another copy at every get',
  },
  {
    does: 'answers a batch in an order of its own',
    store: (store) => ({
      ...store,
      batch: {
        ...store.batch!,
        getMany: async (keys) => store.batch!.getMany(keys.toSorted()),
      },
    }),
    caughtBy: 'getMany answers in the order of its keys, also for one that is missing or asked for twice',
    seen: `getMany(['__proto__','nobody','b','a','b']) gave undefined for 'nobody', not 'missing'`,
    asked: 'A database answers in an order of its own, and leaves out what it does not have',
  },
  {
    does: 'leaves out what a batch does not find',
    store: (store) => ({
      ...store,
      batch: {
        ...store.batch!,
        getMany: async (keys) => (await store.batch!.getMany(keys)).filter((one) => one !== undefined),
      },
    }),
    caughtBy: 'getMany answers in the order of its keys, also for one that is missing or asked for twice',
    seen: 'five keys were asked for, 4 answered',
    asked: 'undefined for a missing one',
  },
  {
    does: 'clears by a pattern',
    store: (store) => ({ ...store, clear: (prefix = '') => store.clear(prefix.split(/[*?[\\%_]/)[0]) }),
    caughtBy: 'clear takes its prefix literally, and nothing else',
    seen: "found nothing after clear of another prefix, where set had put '@a1:x'",
    asked: 'a character like others',
  },
  {
    does: 'lets a file name stand for a key',
    store: (store) => ({
      ...store,
      get: (key) => store.get(key.toLowerCase()),
      set: (key, entry) => store.set(key.toLowerCase(), entry),
      delete: (key) => store.delete(key.toLowerCase()),
    }),
    caughtBy: 'keys of any characters do not interfere',
    seen: "get('a') gave 'of A', where set had put 'of a'",
    asked: 'told apart by every one of them',
  },
  {
    does: 'lends keys without a fence',
    store: (store) => ({
      ...store,
      leases: { ...store.leases!, commit: async (key, _, entry) => (await store.set(key, entry), true) },
    }),
    caughtBy: 'set revokes the lease, and a late commit is dropped',
    seen: "commit('a') with the token 'one' answered true after set",
    asked: 'commit stores the entry only while the token holds the lease',
  },
  {
    does: 'keeps leases in the process',
    store(store, clock) {
      const own = sharedServer(clock).connect()
      return {
        ...store,
        leases: own.leases!,
        get: own.get,
        set: own.set,
        delete: own.delete,
        clear: own.clear,
      }
    },
    caughtBy: 'a lease that one connection has is taken for all',
    seen: "another connection got 'leased' while the first one had the lease",
    asked: 'leases are where the entries are, not in the process',
  },
  {
    does: 'keeps versions of tags in the process',
    store: (store, clock) => ({ ...store, tags: sharedServer(clock).connect().tags! }),
    caughtBy: 'all connections agree on the versions of tags, and on positions',
    seen: 'a tag that another connection invalidated since the position was given a version',
    asked: 'what one invalidates has a new version for all',
  },
  {
    does: 'invalidates nothing',
    store: (store) => ({ ...store, tags: { ...store.tags!, invalidate: () => undefined } }),
    caughtBy: 'a tag keeps its version until it is invalidated, and has another afterwards',
    seen: 'an invalidated tag kept its version',
    asked: 'until invalidate gives it a new one',
  },
  {
    does: 'skips news',
    store: (store) => ({
      ...store,
      log: {
        follow(listener) {
          let count = 0
          return store.log!.follow({
            ...listener,
            changed: (change) => (++count === 2 ? undefined : listener.changed(change)),
          })
        },
      },
    }),
    caughtBy: 'the log tells what others change, in order, and none is left out',
    seen: 'told was: key a, key a, tag x, clear p; not: key a, key b, key a, tag x, clear p',
    asked: 'every set, delete, clear and invalidation of another connection is told',
  },
  {
    does: 'tells no news at all',
    store: (store) => ({ ...store, log: { follow: () => () => undefined } }),
    caughtBy: 'the log tells what others change, in order, and none is left out',
    seen: 'the last change was not told within 200 pauses; told was: nothing',
    asked: 'say lost() where one is missing',
  },
  {
    does: 'goes on after close',
    store: (store) => ({ ...store, close: () => undefined }),
    caughtBy: 'what is set after close is refused with ERR_CLOSED, or not kept',
    seen: "set('a') after close was kept, and get gave it back",
    asked: 'set is a CacheError with the code ERR_CLOSED',
  },
  {
    does: 'fails where there is nothing to clear',
    store(store) {
      let isThere = false
      return {
        ...store,
        set: (key, entry) => ((isThere = true), store.set(key, entry)),
        async clear(prefix) {
          if (!isThere) throw new Error('ENOENT: no such file or directory')
          await store.clear(prefix)
        },
      }
    },
    caughtBy: 'clear without a prefix takes everything',
    seen: 'the store failed with Error: ENOENT: no such file or directory',
    asked: 'has nothing to say where there are none',
  },
]

describe('the kit tells in words of a store that', () => {
  it.each(stores)('$does', async ({ store: damage, caughtBy, seen, asked }) => {
    const sample = damage(sharedServer(fakeClock()).connect(), fakeClock())
    const failures: Error[] = []
    for (const { name, run } of casesFor(sample)) {
      const clock = fakeClock()
      const server = sharedServer(clock)
      const store = damage(server.connect(), clock)
      await run({ clock, store, other: server.connect() }).catch((error: Error) => {
        expect(error).toMatchObject({ name: 'ConformanceError' })
        expect(error.message).toContain(`${name}\n  seen: `)
        // Where in the kit it was noticed helps nobody.
        expect(error.stack).not.toContain('    at ')
        failures.push(error)
      })
    }
    const failure = failures.find(({ message }) => message.startsWith(`${caughtBy}\n`))
    const all = failures.map(({ message }) => message).join('\n')
    expect(failure, `not caught by that case, but: ${all}`).toBeDefined()
    expect(failure!.message).toMatch(/^.+\n {2}seen: .+\n {2}asked: .+$/)
    expect(failure!.message.split('\n')[1]).toContain(seen)
    expect(failure!.message.split('\n')[2]).toContain(asked)
  })
})

it('what the store threw is the cause', async () => {
  const cause = new Error('no disk')
  const clock = fakeClock()
  const store: Store = {
    ...mapStore(clock),
    get() {
      throw cause
    },
  }
  const [first] = casesFor(store)
  await expect(first!.run({ clock, store })).rejects.toMatchObject({
    name: 'ConformanceError',
    message: expect.stringContaining('seen: the store failed with Error: no disk') as string,
    cause,
  })
})
