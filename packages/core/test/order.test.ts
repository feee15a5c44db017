import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { type Cache, createCache, type Store } from '@flow-cache/core'
import { fakeClock, gate, mapStore, sharedServer } from '@flow-cache/core/testing'

type Change = (cache: Cache) => Promise<unknown>

const many = Array.from({ length: 600 }, (_, i) => [`k${i}`, 'first'] as const)

/** Changes that are not waited for, what comes after them, and what is there in the end. */
const sequences: Readonly<
  Record<string, readonly [first: Change, then: Change, key: string, left: unknown]>
> = {
  'setMany, then set': [(c) => c.setMany({ k: 'first' }), (c) => c.set('k', 'then'), 'k', 'then'],
  'setMany, then delete': [(c) => c.setMany({ k: 'first' }), (c) => c.delete('k'), 'k', undefined],
  'setMany, then clear': [(c) => c.setMany({ k: 'first' }), (c) => c.clear(), 'k', undefined],
  'setMany of hundreds, then set': [(c) => c.setMany(many), (c) => c.set('k599', 'then'), 'k599', 'then'],
  'deleteMany of hundreds, then set': [
    (c) => c.deleteMany(many.map(([key]) => key)),
    (c) => c.set('k599', 'then'),
    'k599',
    'then',
  ],
  'set with a new tag, then set': [
    (c) => c.set('k', 'first', { tags: ['new'] }),
    (c) => c.set('k', 'then'),
    'k',
    'then',
  ],
  'set with a new tag, then delete': [
    (c) => c.set('k', 'first', { tags: ['new'] }),
    (c) => c.delete('k'),
    'k',
    undefined,
  ],
  'set with a new tag, then clearPattern': [
    (c) => c.set('k', 'first', { tags: ['new'] }),
    (c) => c.clearPattern('k*'),
    'k',
    undefined,
  ],
  'set with a new tag, then invalidateTags': [
    (c) => c.set('k', 'first', { tags: ['new'] }),
    (c) => c.invalidateTags(['new']),
    'k',
    undefined,
  ],
  'the first set in a namespace, then delete': [
    (c) => c.namespace('n').set('k', 'first'),
    (c) => c.namespace('n').delete('k'),
    '',
    undefined,
  ],
}

const stores: Readonly<Record<string, (clock: ReturnType<typeof fakeClock>) => Store>> = {
  'in this process': mapStore,
  'shared by processes': (clock) => sharedServer(clock, () => undefined).connect(),
}

describe('changes of a key take effect in the order they were asked for', () => {
  for (const [place, store] of Object.entries(stores)) {
    it.each(Object.entries(sequences))(`in a store ${place}: %s`, async (_, [first, then, key, left]) => {
      const clock = fakeClock()
      const cache = createCache({ store: store(clock), clock })
      const unawaited = first(cache)
      await then(cache)
      await unawaited
      expect(key === '' ? await cache.namespace('n').get('k') : await cache.get(key)).toBe(left)
      await cache.close()
    })
  }
})

describe('a right to load', () => {
  it('is given back when what was loaded cannot be kept', async () => {
    const clock = fakeClock()
    const server = sharedServer(clock, () => undefined)
    const store = server.connect()
    const refusing: Store = {
      ...store,
      leases: {
        ...store.leases!,
        commit: () => {
          throw Object.assign(new Error('no'), { code: 'ERR_STORE' })
        },
      },
    }
    const cache = createCache({ store: refusing, clock })
    await cache.getOrSet('k', () => 'v')
    await cache.drain()
    expect(await server.connect().leases!.acquire('k', 'other', 1_000)).toMatchObject({ status: 'leased' })
    await cache.close()
  })

  it('is given back when close gives the load up', async () => {
    const clock = fakeClock()
    const server = sharedServer(clock, () => undefined)
    const cache = createCache({ store: server.connect(), clock })
    const { wait, open, arrived } = gate()
    const load = cache.getOrSet('k', () => wait())
    await arrived
    const given = expect(load).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    const closed = cache.close({ deadline: 0 })
    await clock.advance(0)
    await Promise.all([closed, given])
    expect(await server.connect().leases!.acquire('k', 'other', 1_000)).toMatchObject({ status: 'leased' })
    open()
  })
})

describe('a loader of many keys that reads one of them', () => {
  it('before its first await is told', async () => {
    const cache = createCache({ store: mapStore(fakeClock()) })
    const load = cache.getOrSetMany(['a', 'b'], async () => [await cache.getOrSet('a', () => 1), 2])
    await expect(load).rejects.toMatchObject({ code: 'ERR_RECURSION' })
    const nested = cache.getOrSetMany(['a', 'b'], (keys) => cache.getOrSetMany(keys, () => [1, 2]))
    await expect(nested).rejects.toMatchObject({ code: 'ERR_RECURSION' })
  })

  it('after an await is told with an asyncContext', async () => {
    const cache = createCache({ store: mapStore(fakeClock()), asyncContext: new AsyncLocalStorage() })
    const load = cache.getOrSetMany(['a', 'b'], async () => {
      await Promise.resolve()
      return [await cache.getOrSet('b', () => 1), 2]
    })
    await expect(load).rejects.toMatchObject({ code: 'ERR_RECURSION' })
  })

  it('may take keys off the list it was given', async () => {
    const cache = createCache({ store: mapStore(fakeClock()) })
    const answer = cache.getOrSetMany(['a', 'b'], (keys) =>
      (keys as string[]).splice(0).map((key) => key + 1),
    )
    expect([...(await answer)]).toEqual([
      ['a', 'a1'],
      ['b', 'b1'],
    ])
  })
})
