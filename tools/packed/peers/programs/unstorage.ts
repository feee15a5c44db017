// unstorage over a cache.
import assert from 'node:assert/strict'
import { InMemoryCache } from '@flow-cache/memory'
import { flowCacheDriver } from '@flow-cache/unstorage'
import { createStorage } from 'unstorage'

const cache = new InMemoryCache()
const storage = createStorage({ driver: flowCacheDriver({ cache, closes: true }) })
const seen: string[] = []
await storage.watch((event, key) => void seen.push(`${event} ${key}`))

await storage.setItem('users:1', { name: 'Ada' }, { ttl: 60 })
await storage.setItemRaw('since', new Uint8Array([0, 255]))
assert.deepEqual(await storage.getItem('users:1'), { name: 'Ada' })
assert.deepEqual(await storage.getItemRaw('since'), new Uint8Array([0, 255]))
assert.deepEqual(await storage.getKeys('users'), ['users:1'])
await storage.removeItem('users:1')
assert.equal(await storage.hasItem('users:1'), false)
assert.deepEqual(seen, ['update users:1', 'update since', 'remove users:1'])
await storage.clear()
assert.deepEqual(await storage.getKeys(), [])
await storage.dispose()
assert.equal(cache.closed, true)
