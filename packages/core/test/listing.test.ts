import { expect, it } from 'vitest'
import { createCache, type Store } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'

function setUp(change: (store: Store) => Store = (store) => store) {
  const clock = fakeClock()
  const cache = createCache({ store: change(mapStore(clock)), clock, ttl: 1_000, grace: 1_000 })
  return { cache, clock }
}

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const key of keys) found.push(key)
  return found.toSorted()
}

it('keys lists what the root has, whatever characters keys hold, and nothing of its namespaces', async () => {
  const { cache } = setUp()
  await cache.setMany({ a: 1, '@b': 2, '*': undefined, __proto__x: null })
  await cache.namespace('a').set('c', 1)
  expect(await all(cache.keys())).toEqual(['*', '@b', '__proto__x', 'a'])
  expect(await all(cache.namespace('a').keys())).toEqual(['c'])
  expect(await all(cache.namespace('b').keys())).toEqual([])
})

it('keys leaves out what does not match, is stale, or was ended by a tag or by clear', async () => {
  const { cache, clock } = setUp()
  await cache.set('user:0', 0)
  await clock.advance(1_000)
  await cache.set('user:1', 1, { tags: ['users'] })
  await cache.set('user:2', 1)
  await cache.set('order:1', 1)
  expect(await all(cache.keys('user:*'))).toEqual(['user:1', 'user:2'])
  expect(await all(cache.keys('[@o]*'))).toEqual(['order:1'])
  await cache.invalidateTags(['users'])
  expect(await all(cache.keys('user:*'))).toEqual(['user:2'])
  const shop = cache.namespace('shop')
  await shop.set('a', 1)
  await shop.clear()
  expect(await all(shop.keys())).toEqual([])
})

it('a store that fails to list is a CacheError with its cause, from keys and in the event of clearPattern', async () => {
  const broken = new Error('a page is damaged')
  const { cache } = setUp((store) => ({
    ...store,
    keys: {
      async *scan() {
        yield ['a']
        throw broken
      },
    },
  }))
  await cache.set('a', 1)
  const failure = { name: 'CacheError', code: 'ERR_STORE', cause: broken }
  const keys = cache.keys()
  expect(await keys.next()).toEqual({ value: 'a', done: false })
  await expect(keys.next()).rejects.toMatchObject(failure)
  const events: unknown[] = []
  cache.on('error', ({ error }) => events.push(error))
  expect(await cache.clearPattern('a*')).toBe(1)
  expect(events).toMatchObject([failure])
})

it('keys is refused where the store cannot list, after close, and for a pattern that is no text', async () => {
  const { cache } = setUp(({ get, set, delete: remove, clear, close }) => ({
    get,
    set,
    delete: remove,
    clear,
    close,
  }))
  await expect(cache.keys().next()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
  await expect(cache.keys(5 as never).next()).rejects.toThrow('a pattern must be a non-empty string, got 5')
  await cache.close()
  await expect(cache.keys().next()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})
