import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore, type RedisStoreOptions } from '@flow-cache/redis'
import { type RedisCluster, type RedisSentinel, startCluster, startSentinel } from '@flow-cache/servers'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../fleet.js'

function member(redis: RedisStoreOptions): MultiLevelCache {
  const cache = new MultiLevelCache({ tiers: [memoryStore(), redisStore(redis)], ttl: '1h' })
  onTestFinished(() => cache.close())
  return cache
}

/** What has to hold on every kind of server. */
async function works(a: MultiLevelCache, b: MultiLevelCache, round = ''): Promise<void> {
  const keys = Array.from({ length: 50 }, (_, i) => `key ${round} ${i}`)
  // After a failover each process finds its way back in its own time.
  const agree = async (): Promise<boolean> => {
    const keys = Array.from({ length: 20 }, () => randomUUID())
    let loads = 0
    const load = () => ++loads
    await Promise.all(keys.flatMap((key) => [a.getOrSet(key, load), b.getOrSet(key, load)]))
    return loads === 20
  }
  let inRow = 0
  const settled = async (): Promise<boolean> => {
    inRow = (await agree()) ? inRow + 1 : 0
    await sleep(100)
    return inRow === 5
  }
  await until(settled, 20_000, 'it does not work')
  let loads = 0
  const load = (): number => ++loads
  const values = await Promise.all(keys.flatMap((key) => [a.getOrSet(key, load), b.getOrSet(key, load)]))
  expect(new Set(values).size).toBe(50)
  expect(loads).toBe(50)
  expect((await b.getMany(keys)).size).toBe(50)
  await a.setMany(keys.map((key) => [key, 'new']))
  for (const key of keys) await until(async () => (await b.get(key)) === 'new')
  await a.set('tagged', 1, { tags: ['t'] })
  await until(async () => (await b.get('tagged')) === 1)
  await b.invalidateTags(['t'])
  await until(async () => (await a.get('tagged')) === undefined)
  expect(await a.deleteMany(keys.slice(0, 10))).toBe(10)
  for (const key of keys.slice(0, 10)) await until(async () => (await b.get(key)) === undefined)
  expect(await b.clearPattern(`key ${round} 4?`)).toBe(10)
  await until(async () => (await a.get(`key ${round} 45`)) === undefined)
  await a.clear()
  for (const cache of [a, b]) await until(async () => (await cache.getMany(keys)).size === 0)
}

describe('a Cluster of three masters and three replicas', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster.stop())

  it('works as one server does', async () => {
    const prefix = `${randomUUID()}:`
    const nodes = cluster.seeds
    await works(member({ cluster: { nodes }, prefix }), member({ cluster: { nodes }, prefix }))
  })

  it('works with a client of one’s own as a template, which is left alone', async () => {
    const prefix = `${randomUUID()}:`
    const client = new Cluster([...cluster.seeds])
    await works(member({ client, prefix }), member({ client, prefix }))
    expect(await client.set('mine', 1)).toBe('OK')
    await client.quit()
  })

  it('works for a user with no more rights than the README names', async () => {
    const prefix = 'shop:'
    const readme = readFileSync(fileURLToPath(new URL('../../../redis/README.md', import.meta.url)), 'utf8')
    const [, rule] = /ACL SETUSER cache (on >secret ~shop:\* .*)/.exec(readme)!
    const more = /`(\+cluster\|[^`]*)`/.exec(readme)![1]!.split(' ')
    for (const { port } of cluster.nodes) {
      const admin = new Redis(port)
      await admin.call('ACL', 'SETUSER', 'cache', ...rule!.split(' '), ...more)
      await admin.quit()
    }
    const nodes = cluster.seeds
    const options = { redisOptions: { username: 'cache', password: 'secret' } }
    const [a, b] = [
      member({ cluster: { nodes, options }, prefix }),
      member({ cluster: { nodes, options }, prefix }),
    ]
    const errors: unknown[] = []
    await works(a, b)
    for (const cache of [a, b]) cache.on('error', ({ error }) => errors.push(error))
    await works(a, b, 'again')
    expect(errors).toEqual([])
  })

  it('goes on when a master dies', async () => {
    const prefix = `${randomUUID()}:`
    const nodes = cluster.seeds
    const [a, b] = [member({ cluster: { nodes }, prefix }), member({ cluster: { nodes }, prefix })]
    await works(a, b, 'before')
    // The one with the log and the tags.
    const master = await cluster.masterOf(`${prefix}{m}l|`)
    await master.kill()
    let loads = 0
    expect(await a.getOrSet('meanwhile', () => ++loads)).toBe(1)
    await works(a, b, 'after')
  }, 60_000)
})

describe('a master with replicas that Sentinels watch', () => {
  let group: RedisSentinel
  beforeAll(async () => {
    group = await startSentinel()
  }, 60_000)
  afterAll(() => group.stop())

  it('works, and goes on after a failover', async () => {
    const prefix = `${randomUUID()}:`
    const { name, sentinels } = group
    const options = { sentinels: [...sentinels], name }
    const template = new Redis(options)
    template.on('error', () => {})
    const [a, b] = [member({ options, prefix }), member({ client: template, prefix })]
    await works(a, b, 'before')
    const before = await group.master()
    await before.kill()
    expect(await a.getOrSet('meanwhile', () => 'loaded')).toBe('loaded')
    await works(a, b, 'after')
    expect((await group.master()).port).not.toBe(before.port)
    template.disconnect()
  }, 60_000)
})
