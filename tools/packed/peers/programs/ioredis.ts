// Two processes' worth of caches over one Redis: one load, tags, news of changes, batches.
import assert from 'node:assert/strict'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { Redis } from 'ioredis'

const url = process.env['REDIS_URL'] as string
const prefix = `peer-${process.pid}:`
// A busy machine is no sick server.
const patient = { timeouts: { store: '20s' }, leaseTerm: '1m' } as const

const plain = new RedisCache({ url, prefix, timeout: '20s', ttl: '1m', ...patient })
await plain.set('when', new Date(5), { tags: ['times'] })
assert.deepEqual(await plain.get('when'), new Date(5))
await plain.setMany([
  ['a', 1],
  ['b', 2],
])
assert.deepEqual(
  [...(await plain.getMany(['a', 'b', 'c']))],
  [
    ['a', 1],
    ['b', 2],
  ],
)
await plain.invalidateTags(['times'])
assert.equal(await plain.get('when'), undefined)
await plain.close()

const client = new Redis(url)
const open = (): MultiLevelCache =>
  new MultiLevelCache({
    tiers: [memoryStore(), redisStore({ client, prefix })],
    ttl: '1m',
    ...patient,
  })
const here = open()
const there = open()
let loads = 0
const load = async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  return ++loads
}
const both = await Promise.all([here, there].map((cache) => cache.getOrSet('key', load)))
assert.deepEqual(both, [1, 1])
await here.set('key', 2)
for (let tries = 0; (await there.get('key')) !== 2; tries++) {
  assert.ok(tries < 200, 'news of a change comes')
  await new Promise((resolve) => setTimeout(resolve, 10))
}
await here.clear()
await here.close()
await there.close()
await client.quit()
