import { createCache as createManager } from 'cache-manager'
import { createCache } from '@flow-cache/core'
import { flowKeyv } from '@flow-cache/keyv'
import { memoryStore } from '@flow-cache/memory'
import { Keyv } from 'keyv'
import { expect, it } from 'vitest'

function setUp() {
  const cache = createCache({ store: memoryStore() })
  const keyv = new Keyv({ store: flowKeyv(cache, { closes: true }), namespace: 'app' })
  return { cache, manager: createManager({ stores: [keyv], ttl: 60_000 }) }
}

it('cache-manager reads, writes, lists times and clears', async () => {
  const { manager } = setUp()
  await manager.set('a', { b: 1 })
  await manager.mset([
    { key: 'c', value: 2 },
    { key: 'd', value: 3, ttl: 5_000 },
  ])
  expect(await manager.get('a')).toEqual({ b: 1 })
  expect(await manager.mget(['a', 'nobody', 'd'])).toEqual([{ b: 1 }, undefined, 3])
  const left = (await manager.ttl('d'))! - Date.now()
  expect(left > 0 && left <= 5_000).toBe(true)
  await manager.del('a')
  await manager.mdel(['c'])
  expect(await manager.mget(['a', 'c', 'd'])).toEqual([undefined, undefined, 3])
  await manager.clear()
  expect(await manager.get('d')).toBe(undefined)
  await manager.disconnect()
})

it('cache-manager wraps a function, whose answer is in the cache’s namespace', async () => {
  const { manager, cache } = setUp()
  let calls = 0
  const read = () => manager.wrap('user:1', async () => ({ calls: ++calls }))
  expect(await Promise.all([read(), read(), read()])).toEqual(Array.from({ length: 3 }, () => ({ calls: 1 })))
  expect(await read()).toEqual({ calls: 1 })
  await cache.namespace('app').clear()
  expect(await read()).toEqual({ calls: 2 })
  await manager.disconnect()
  expect(cache.closed).toBe(true)
})
