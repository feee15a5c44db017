import { Buffer } from 'node:buffer'
import {
  type Alone,
  CacheError,
  createCache,
  createEntry,
  type LogListener,
  type Store,
} from '@flow-cache/core'
import {
  type FakeClock,
  fakeClock,
  type FaultyStore,
  faultyStore,
  gate,
  mapStore,
  settle,
  sharedServer,
} from '@flow-cache/core/testing'
import { redisStore } from '@flow-cache/redis'
import { startRedis } from '@flow-cache/servers'
import { describe, expect, it } from 'vitest'
import { fnv1a, Rendezvous } from '../src/sharded/rendezvous.js'
import { shardedStore } from '../src/sharded/sharded-store.js'

const keys = Array.from({ length: 10_000 }, (_, i) => `user:${i}`)
const owners = (names: readonly string[]): readonly string[] => {
  const placed = new Rendezvous(names)
  return keys.map((key) => names[placed.indexOf(key)]!)
}
/** A few keys of that shard of `red` and `blue`. */
const ofShard = (name: string, names: readonly string[] = ['blue', 'red'], count = 5): readonly string[] => {
  const all = owners(names)
  return keys.filter((_, i) => all[i] === name).slice(0, count)
}
const [dead, deadToo] = ofShard('red') as [string, string]
const [alive, aliveToo] = ofShard('blue') as [string, string]

const entry = (clock: FakeClock, value: unknown = 1) =>
  createEntry({ value, createdAt: clock.now(), ttl: 60_000 })

/** The code, the message and the cause's, of a failure. */
async function failure(call: () => unknown): Promise<CacheError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(CacheError)
    return error as CacheError
  }
  return expect.fail('it did not fail')
}

/** Two shards on servers of their own, one of which goes wrong as told. */
function two(make: (clock: FakeClock) => Store = (clock) => sharedServer(clock).connect()): {
  readonly clock: FakeClock
  readonly red: FaultyStore
  readonly blue: FaultyStore
  readonly store: Store
} {
  const clock = fakeClock()
  const [red, blue] = [faultyStore(make(clock)), faultyStore(make(clock))]
  return { clock, red, blue, store: shardedStore({ red, blue }, { clock }) }
}

describe('where a key is', () => {
  it('hashes with FNV-1a over UTF-16LE', () => {
    // The published values of '' and, as bytes 'a' and 'foobar', of texts with those bytes.
    expect(fnv1a('')).toBe(0x811c9dc5)
    expect(fnv1a('潦扯牡')).toBe(0xbf9cf968)
    for (const text of ['a', '😀', '\ud83d', 'é', ...keys.slice(0, 20)]) {
      let hash = 0x811c9dc5n
      for (const byte of Buffer.from(text, 'utf16le'))
        hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
      expect(fnv1a(text)).toBe(Number(hash))
    }
  })

  it('is the same in every process and every version', () => {
    const names = ['blue', 'green', 'red']
    const placed = new Rendezvous(names)
    const found = ['', 'a', 'b', 'user:1', 'user:2', '😀', '\ud83d', '@ns:1', '__proto__', 'k'.repeat(10_000)]
    expect(found.map((key) => names[placed.indexOf(key)]).join()).toBe(
      'blue,green,red,red,green,green,green,green,red,blue',
    )
  })

  it('does not depend on the order of the shards', async () => {
    const clock = fakeClock()
    const [a, b, c] = [mapStore(clock), mapStore(clock), mapStore(clock)]
    const [one, other] = [shardedStore({ a, b, c }, { clock }), shardedStore({ c, a, b }, { clock })]
    for (const key of keys.slice(0, 100)) await one.set(key, entry(clock, key))
    for (const key of keys.slice(0, 100)) expect((await other.get(key))?.value).toBe(key)
  })

  it('gives each of N shards about 1/N of the keys', () => {
    for (const names of [
      ['a', 'b'],
      ['red', 'green', 'blue'],
      Array.from({ length: 10 }, (_, i) => `shard-${i}`),
    ]) {
      const all = owners(names)
      for (const name of names) {
        const share = (all.filter((owner) => owner === name).length * names.length) / keys.length
        expect(share).toBeGreaterThan(0.85)
        expect(share).toBeLessThan(1.15)
      }
    }
  })

  it.each([2, 3, 5, 10])('a shard that comes makes %i, takes its share, and nothing else moves', (count) => {
    const names = Array.from({ length: count }, (_, i) => `shard-${i}`)
    const [before, after] = [owners(names.slice(0, -1)), owners(names)]
    const moved = keys.flatMap((_, i) => (before[i] === after[i] ? [] : [after[i]]))
    expect(new Set(moved)).toEqual(new Set([names.at(-1)]))
    expect(moved.length).toBeGreaterThan((0.5 * keys.length) / count)
    expect(moved.length).toBeLessThan((1.5 * keys.length) / count)
  })

  it('asks no other shard than the key’s', async () => {
    const { clock, red, blue, store } = two()
    await store.set(dead, entry(clock))
    await store.get(dead)
    await store.leases!.acquire(dead, 'one', 1_000)
    await store.leases!.renew(dead, 'one', 1_000)
    await store.leases!.commit(dead, 'one', entry(clock))
    await store.leases!.release(dead, 'one')
    await store.leases!.expire(dead)
    await store.batch!.setMany([[dead, entry(clock)]])
    await store.batch!.getMany([dead, deadToo])
    await store.batch!.deleteMany([dead])
    await store.delete(dead)
    await store.tags!.versions([dead])
    await store.tags!.invalidate([dead])
    expect([red.calls(), blue.calls()]).toEqual([13, 0])
  })

  it('does not list what a shard still has of keys that are another’s by now', async () => {
    const clock = fakeClock()
    const [red, blue] = [mapStore(clock), mapStore(clock)]
    const store = shardedStore({ red, blue }, { clock })
    await red.set(alive, entry(clock))
    await red.set(dead, entry(clock))
    const listed: string[] = []
    for await (const some of store.keys!.scan('')) listed.push(...some)
    expect(listed).toEqual([dead])
  })
})

describe('a shard that fails', () => {
  it.each(['reject', 'throw', 'hang'] as const)('costs its own keys (%s)', async (fault) => {
    const { clock, red, store } = two()
    red.fail(fault)
    const failing = failure(() => store.get(dead))
    const writing = store.set(alive, entry(clock))
    await clock.advance(150)
    await writing
    expect((await store.get(alive))?.value).toBe(1)
    const { code, message, cause } = await failing
    expect(code).toBe('ERR_SHARD')
    expect(message).toBe("the shard 'red' failed to get")
    expect((cause as Error).message).toMatch(fault === 'hang' ? 'no answer within 150 ms' : /^the store/)
    expect(clock.pending).toBe(0)
  })

  it('is left alone after three failures in a row, until a call behind has succeeded', async () => {
    const { clock, red, store } = two()
    red.fail('reject')
    for (let i = 0; i < 3; i++) await failure(() => store.get(dead))
    expect(red.calls()).toBe(3)
    const { code, message } = await failure(() => store.get(dead))
    expect(code).toBe('ERR_SHARD')
    expect(message).toBe("the shard 'red' failed 3 times in a row and is left alone for now")
    expect(red.calls()).toBe(0)
    // One call tries, behind, whoever asks.
    red.fail('hang')
    await clock.advance(1_000)
    for (let i = 0; i < 5; i++) await failure(() => store.get(dead))
    expect(red.calls()).toBe(1)
    await clock.advance(150)
    red.fail('none')
    for (let i = 0; i < 5; i++) await failure(() => store.get(dead))
    expect(red.calls()).toBe(0)
    await clock.advance(1_000)
    await failure(() => store.get(dead))
    await settle()
    expect(await store.get(dead)).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('counts failures in a row, and no errors about values', async () => {
    const clock = fakeClock()
    let answer: () => unknown = () => undefined
    const red: Store = { ...mapStore(clock), get: () => answer() as undefined }
    const store = shardedStore({ red }, { clock })
    const fail = (error: Error) => () => {
      throw error
    }
    const poisoned = fail(new CacheError('ERR_POISONED', 'what is this'))
    const broken = fail(new CacheError('ERR_STORE', 'broken'))
    for (answer of [broken, broken, poisoned, broken, broken, () => undefined, broken, broken, poisoned]) {
      const { code } = await failure(async () => {
        if ((await store.get('a')) === undefined) throw new CacheError('ERR_VALUE', 'it answered')
      })
      expect(code).toBe(answer === broken ? 'ERR_SHARD' : answer === poisoned ? 'ERR_POISONED' : 'ERR_VALUE')
    }
  })

  it('fails a batch that needs it, when the others have done their part', async () => {
    const { clock, red, store } = two()
    red.fail('reject')
    const both = [dead, alive, deadToo, aliveToo]
    expect(
      (await failure(() => store.batch!.setMany(both.map((key) => [key, entry(clock, key)])))).code,
    ).toBe('ERR_SHARD')
    expect((await failure(() => store.batch!.getMany(both))).code).toBe('ERR_SHARD')
    red.fail('none')
    const found = await store.batch!.getMany(both)
    expect(found.map((one) => one?.value)).toEqual([undefined, alive, undefined, aliveToo])
    expect(await store.batch!.deleteMany(both)).toBe(2)
  })

  it('fails a clear, when all others are clear', async () => {
    const { clock, red, store } = two()
    for (const key of [dead, alive]) await store.set(key, entry(clock))
    red.fail('throw')
    expect((await failure(() => store.clear())).message).toBe("the shard 'red' failed to clear")
    red.fail('none')
    expect(await store.get(dead)).toBeDefined()
    expect(await store.get(alive)).toBeUndefined()
  })

  it('is told of when the other shards have ended too, so that nothing happens after a failure', async () => {
    const { clock, red, blue, store } = two()
    const gates = [gate(), gate()] as const
    red.fail('reject')
    const both = [dead, alive].map((key) => [key, entry(clock)] as const)
    for (const [i, call] of [() => store.batch!.setMany(both), () => store.clear()].entries()) {
      const { wait, open } = gates[i]!
      blue.fail('lag', wait)
      let ended = false
      const failing = failure(call).finally(() => (ended = true))
      await settle()
      expect(ended).toBe(false)
      open()
      expect((await failing).code).toBe('ERR_SHARD')
    }
  })

  it('does not hold up a list of keys for ever', async () => {
    const clock = fakeClock()
    const red: Store = {
      ...mapStore(clock),
      keys: {
        async *scan() {
          await new Promise(() => {})
          yield []
        },
      },
    }
    const store = shardedStore({ red, blue: mapStore(clock) }, { clock })
    const listing = failure(async () => {
      for await (const some of store.keys!.scan('')) expect(some).toEqual([])
    })
    await clock.advance(60_000)
    expect((await listing).message).toBe("the shard 'red' failed to list keys")
  })

  it('is closed like the others, and tells if that fails', async () => {
    const clock = fakeClock()
    const closed: string[] = []
    const shard = (name: string, fails: boolean): Store => ({
      ...mapStore(clock),
      close() {
        closed.push(name)
        if (fails) throw new Error(`${name} is stuck`)
      },
    })
    const store = shardedStore({ a: shard('a', true), b: shard('b', false), c: shard('c', false) }, { clock })
    await expect(store.close()).rejects.toThrow('a is stuck')
    expect(closed).toEqual(['a', 'b', 'c'])
  })
})

describe('tags', () => {
  it('a position with a gap says nothing of the tags there, and all of the others', async () => {
    const { red, store } = two()
    await store.tags!.versions([dead, alive])
    red.fail('reject')
    const position = await store.tags!.position()
    expect((await failure(() => store.tags!.versions([dead], position))).code).toBe('ERR_SHARD')
    red.fail('none')
    const [gone, known] = await store.tags!.versions([dead, alive], position)
    expect(gone).toBeUndefined()
    expect(known).toBeTypeOf('string')
    await store.tags!.invalidate([alive])
    expect(await store.tags!.versions([alive, aliveToo], position)).toEqual([undefined, expect.any(String)])
  })

  it('there is no position where no shard has one', async () => {
    const { red, blue, store } = two()
    red.fail('reject')
    blue.fail('throw')
    expect((await failure(() => store.tags!.position())).code).toBe('ERR_SHARD')
  })
})

describe('the log', () => {
  it('is lost when that of one shard is, and blind while that of any is', () => {
    const clock = fakeClock()
    const listeners: LogListener[] = []
    const shard = (): Store => ({
      ...mapStore(clock),
      log: {
        follow(listener) {
          listeners.push(listener)
          return () => listeners.splice(listeners.indexOf(listener), 1)
        },
      },
    })
    const store = shardedStore({ a: shard(), b: shard() }, { clock })
    const told: string[] = []
    const stop = store.log!.follow({
      changed: ({ kind }) => told.push(kind),
      lost: () => told.push('lost'),
      blind: (isBlind) => told.push(isBlind ? 'blind' : 'sees'),
      failed: (error) => told.push((error as Error).message),
    })
    const [a, b] = listeners as [LogListener, LogListener]
    const said = () => told.splice(0).join()
    a.changed({ kind: 'key', key: 'x' })
    b.lost()
    expect(said()).toBe('key,lost')
    b.failed!(new Error('refused'))
    expect(said()).toBe('refused')
    a.blind!(false)
    expect(said()).toBe('')
    a.blind!(true)
    b.blind!(true)
    expect(said()).toBe('blind')
    a.blind!(false)
    expect(said()).toBe('')
    b.blind!(false)
    expect(said()).toBe('sees')
    stop()
    expect(listeners).toEqual([])
  })
})

describe('when a shard is back that could not be asked about tags', () => {
  const told = (store: Store): string[] => {
    const changes: string[] = []
    store.log!.follow({
      changed: (change) => changes.push(change.kind === 'tag' ? change.tag : change.kind),
      lost: () => changes.push('lost'),
    })
    return changes
  }

  it('they are told as changed, so that nobody goes on with a version of its own', async () => {
    const { red, store } = two()
    const changes = told(store)
    red.fail('reject')
    await failure(() => store.tags!.versions([dead, alive]))
    await store.get(alive)
    expect(changes).toEqual([])
    red.fail('none')
    await store.get(dead)
    await store.get(dead)
    expect(changes).toEqual([dead, alive])
  })

  it('all are in doubt where there were too many of them, or some could not be invalidated', async () => {
    const { red, store } = two()
    const changes = told(store)
    for (const ask of [
      () => store.tags!.versions(keys.concat('one more')),
      () => store.tags!.invalidate([dead]),
    ]) {
      red.fail('reject')
      await failure(ask)
      red.fail('none')
      await store.get(dead)
      await store.get(dead)
      expect(changes.splice(0)).toEqual(['lost'])
    }
  })

  it('entries that a cache made meanwhile are shared with other processes afterwards', async () => {
    const clock = fakeClock()
    const servers = { red: sharedServer(clock), blue: sharedServer(clock) }
    const open = () => {
      const red = faultyStore(servers.red.connect())
      const shared = shardedStore({ red, blue: servers.blue.connect() }, { clock })
      const near = mapStore(clock)
      // What a tiered store is to the cache: something near that can stand alone.
      const alone: Alone = {
        set: (key, kept) => void near.set(key, kept),
        delete: (key) => void near.delete(key),
        clear: () => void near.clear(),
      }
      const store: Store = { ...shared, local: { ...near.local!, alone } }
      return { red, cache: createCache({ store, clock }) }
    }
    const [one, other] = [open(), open()]
    const load = (loads: { count: number }) => () => ++loads.count
    const [first, second] = [{ count: 0 }, { count: 0 }]
    one.red.fail('reject')
    await one.cache.getOrSet(alive, load(first), { tags: [dead] })
    one.red.fail('none')
    await one.cache.get(dead)
    first.count = 0
    for (let i = 0; i < 3; i++) {
      await one.cache.getOrSet(aliveToo, load(first), { tags: [dead] })
      await other.cache.getOrSet(aliveToo, load(second), { tags: [dead] })
    }
    expect([first.count, second.count]).toEqual([1, 0])
    await one.cache.close()
    await other.cache.close()
  })
})

describe('a cache over shards', () => {
  it.each(['reject', 'hang'] as const)('keeps the keys of a shard that is well (%s)', async (fault) => {
    const { clock, red, store } = two()
    const cache = createCache({ store, clock })
    const circuits: string[] = []
    cache.on('circuit', ({ state }) => circuits.push(state))
    let loads = 0
    const read = async (key: string): Promise<unknown> => {
      const reading = cache.getOrSet(key, ({ options }) => {
        options.tags = [aliveToo]
        return ++loads
      })
      await clock.advance(1_000)
      return reading
    }
    // The epoch of the whole cache is a tag too; this process has learned its version.
    await read(aliveToo)
    loads = 0
    red.fail(fault)
    for (let i = 0; i < 5; i++) await read(dead)
    expect(loads).toBe(5)
    for (let i = 0; i < 5; i++) expect(await read(alive)).toBe(6)
    expect(circuits).toEqual([])
    red.fail('none')
    for (let i = 0; i < 3; i++) await read(dead)
    for (let i = 0; i < 5; i++) expect(await read(dead)).toBe(loads)
    await cache.close()
  })

  it('tells the caller of a shard that fails, if asked to throw', async () => {
    const { clock, red, store } = two((clock) => mapStore(clock))
    const cache = createCache({ store, clock, onStoreError: 'throw' })
    red.fail('reject')
    for (let i = 0; i < 5; i++) {
      expect((await failure(() => cache.get(dead))).code).toBe('ERR_SHARD')
      await cache.set(alive, i)
      expect(await cache.get(alive)).toBe(i)
    }
    await cache.close()
  })

  it('has a shard wait less than the cache, and gives a shard the same', async () => {
    const told: number[] = []
    const shard = (): Store => ({ ...mapStore(fakeClock()), patience: (ms) => void told.push(ms) })
    const open = (store: Store, ms: number) => createCache({ store, timeouts: { store: ms } }).close()
    await open(shardedStore({ red: shard() }), 1_000)
    expect(told.splice(0)).toEqual([150, 750])
    await open(shardedStore({ red: shard() }, { timeout: 900 }), 1_000)
    expect(told).toEqual([900])
    expect(() => open(shardedStore({ red: shard() }, { timeout: 900 }), 900)).toThrow(
      'shardedStore: timeout (900 ms) must be less than timeouts.store (900 ms)',
    )
    const slow = redisStore({ options: { lazyConnect: true }, timeout: 200 })
    expect(() => shardedStore({ slow }, { timeout: 100 })).toThrow(
      'timeout (200 ms) must not exceed the 100 ms',
    )
    await slow.close()
  })

  it('goes on where one of two Redis servers hangs or dies, and uses it again when it is back', async () => {
    await using red = await startRedis()
    await using blue = await startRedis()
    const open = (url: string): Store => redisStore({ url, timeout: 900 })
    const store = shardedStore({ red: open(red.url), blue: open(blue.url) }, { timeout: 1_000 })
    const clock = fakeClock(Date.now())
    const works = async (): Promise<boolean> => {
      try {
        await store.get(dead)
        return true
      } catch {
        return false
      }
    }
    try {
      for (const key of [dead, alive]) await store.set(key, entry(clock, key))
      red.pause()
      const writes = [1, 2, 3].map((value) => failure(() => store.set(dead, entry(clock, value))))
      expect((await store.get(alive))?.value).toBe(alive)
      for (const { code, cause } of await Promise.all(writes)) {
        expect(code).toBe('ERR_SHARD')
        expect((cause as CacheError).code).toBe('ERR_STORE_TIMEOUT')
      }
      expect((await failure(() => store.get(dead))).message).toMatch('left alone')
      red.resume()
      await expect.poll(works, { timeout: 10_000 }).toBe(true)
      // What was given up is not done later.
      expect((await store.get(dead))?.value).toBe(dead)

      const many = ofShard('red', ['blue', 'red'], 250)
      red.pause()
      const { code } = await failure(() =>
        store.batch!.setMany(many.map((key) => [key, entry(clock, 'late')])),
      )
      red.resume()
      expect(code).toBe('ERR_SHARD')
      expect((await store.get(dead))?.value).toBe(dead)

      await red.kill()
      for (let i = 0; i < 5; i++) {
        expect((await failure(() => store.get(dead))).code).toBe('ERR_SHARD')
        expect((await store.get(alive))?.value).toBe(alive)
      }
      await using another = await startRedis({ port: red.port })
      expect(another.port).toBe(red.port)
      await expect.poll(works, { timeout: 10_000 }).toBe(true)
      expect(await store.get(dead)).toBeUndefined()
    } finally {
      await store.close()
    }
  }, 30_000)
})

describe('what it is made of', () => {
  it('has the groups that every shard has', async () => {
    const clock = fakeClock()
    const shared = sharedServer(clock).connect()
    const map = mapStore(clock)
    const groups = (store: Store) =>
      Object.keys(store).filter((name) => typeof store[name as keyof Store] === 'object')
    expect(groups(shardedStore({ shared }))).toEqual(['tiers', 'batch', 'keys', 'tags', 'leases', 'log'])
    expect(groups(shardedStore({ shared, map }))).toEqual(['tiers', 'batch', 'keys'])
    const { batch, ...plain } = map
    expect(batch).toBeDefined()
    expect(groups(shardedStore({ shared, plain }))).toEqual(['tiers', 'keys'])
  })

  it('has the tiers of its shards', () => {
    const clock = fakeClock()
    const make = (...tiers: string[]): Store => ({ ...mapStore(clock), tiers })
    expect(shardedStore({ a: make('redis'), b: make('redis') }).tiers).toEqual(['redis'])
    expect(shardedStore({ a: make('near', 'far'), b: make('redis') }).tiers).toEqual(['near/redis', 'far'])
  })

  it('refuses what is no set of stores, and options nobody knows, by name', () => {
    const make = shardedStore as (...args: unknown[]) => Store
    const a = mapStore(fakeClock())
    const refused: readonly (readonly [readonly unknown[], string])[] = [
      [[], 'stores must be an object'],
      [[null], 'stores must be an object'],
      [[[a]], 'stores must be an object'],
      [[{}], 'stores must have at least one'],
      [[{ a, b: undefined }], 'stores.b must be a store'],
      [[{ a, b: 'redis://b' }], 'stores.b must be a store'],
      [[{ a, b: a }], 'stores.b must be another store than stores.a'],
      [[{ a }, null], 'options must be an object'],
      [[{ a }, { timeot: 1 }], "unknown option 'timeot'"],
      [[{ a }, { timeout: 'soon' }], 'timeout must be'],
    ]
    for (const [args, message] of refused) {
      expect(() => make(...args)).toThrow(TypeError)
      expect(() => make(...args)).toThrow(message)
    }
    expect(() => make({ a }, { timeout: -1 })).toThrow(RangeError)
  })
})
