// Keyv over a cache, and a cache over Keyv's own storage.
import assert from 'node:assert/strict'
import { createCache } from '@flow-cache/core'
import { flowKeyv, keyvStore } from '@flow-cache/keyv'
import { InMemoryCache } from '@flow-cache/memory'
import { Keyv } from 'keyv'

const cache = new InMemoryCache()
const users = new Keyv({ store: flowKeyv(cache), namespace: 'users' })
await users.set('1', { name: 'Ada' }, 60_000)
await users.set('2', { name: 'Eve' })
assert.deepEqual(await users.get('1'), { name: 'Ada' })
assert.equal(await users.has('2'), true)
assert.equal(await users.delete('2'), true)
assert.equal(await users.get('2'), undefined)
await cache.namespace('users').clear()
assert.equal(await users.get('1'), undefined)

const map = new Map()
let loads = 0
for (let process = 0; process < 2; process++) {
  const stored = createCache({ store: keyvStore(map), ttl: '1h' })
  assert.deepEqual(await stored.getOrSet('at', () => new Date(loads++)), new Date(0))
  await stored.close()
}
assert.equal(loads, 1)
await cache.close()
