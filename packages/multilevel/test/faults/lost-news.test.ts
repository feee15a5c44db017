import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Proxy, type RedisServer, startProxy, startRedis } from '@flow-cache/servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { client, member, type MemberOptions, patient, until } from '../fleet.js'

/** Within this, after the line is whole again, nobody serves the old value: the bound in `docs/guarantees.md`. */
const bound = 2_000

let redis: RedisServer
let proxy: Proxy
beforeAll(async () => {
  redis = await startRedis()
  proxy = await startProxy(redis.port)
})
afterAll(async () => {
  await proxy.close()
  await redis.stop()
})

/** One process on the server, and one whose every connection goes through the proxy, both with `k` in memory. */
async function setUp(options?: MemberOptions) {
  const prefix = `${randomUUID()}:`
  const near = member(redis.url, prefix, options)
  const far = member(proxy.url, prefix, options)
  onTestFinished(() => proxy.heal())
  await near.set('k', 'old', { tags: ['t'] })
  // All news so far has arrived once this has.
  await far.set('sync', 1)
  await near.set('sync', 2)
  await until(() => far.peek('sync') === undefined)
  await until(async () => {
    // On a busy machine it may have come too late.
    if ((await near.get('k')) !== 'old') await near.set('k', 'old', { tags: ['t'] })
    return (await far.get('k')) === 'old' && far.peek('k') === 'old'
  })
  return { near, far, prefix }
}

describe('fault 2: news that is lost on the way to a process', { timeout: 20_000 }, () => {
  it('in good times arrives within milliseconds', async () => {
    const { near, far } = await setUp(patient)
    for (let i = 0; i < 20; i++) {
      await near.set('k', i)
      await until(() => far.peek('k') === undefined, 1_000, 'the old value is still served')
      expect(await far.get('k')).toBe(i)
      // One's own news is none: what was set is still in memory.
      expect(near.peek('k')).toBe(i)
    }
  })

  it('a connection that is cut: what was missed is caught up', async () => {
    const { near, far } = await setUp()
    proxy.cut()
    await near.set('k', 'new')
    await until(() => far.peek('k') === undefined, bound, 'the old value is still served')
    await until(async () => (await far.get('k')) === 'new')
  })

  it('only the connection for news is cut', async () => {
    const { near, far, prefix } = await setUp()
    const admin = client(redis.url)
    for (let i = 0; i < 5; i++) {
      const readers = String(await admin.client('LIST'))
        .split('\n')
        .filter((line) => line.includes('cmd=xread'))
      for (const line of readers) await admin.client('KILL', 'ID', /id=(\d+)/.exec(line)![1]!)
      await near.set('k', `new ${i}`)
      await until(() => far.peek('k') === undefined, bound, 'the old value is still served')
      await until(async () => (await far.get('k')) === `new ${i}`)
    }
    expect(prefix).toBeTruthy()
  })

  it('only the connection for commands is cut', async () => {
    const { near, far } = await setUp()
    const admin = client(redis.url)
    for (let i = 0; i < 5; i++) {
      const through = new Set(proxy.connections.map(({ port }) => port))
      const lines = String(await admin.client('LIST')).split('\n')
      for (const line of lines) {
        const port = Number(/ addr=[^ ]*:(\d+) /.exec(line)?.[1])
        if (through.has(port) && !line.includes('cmd=xread'))
          await admin.client('KILL', 'ID', /id=(\d+)/.exec(line)![1]!)
      }
      await near.set('k', `new ${i}`)
      await until(() => far.peek('k') === undefined, bound, 'the old value is still served')
      await until(async () => (await far.get('k')) === `new ${i}`)
    }
  })

  it.each(['set', 'tag', 'clear'])('a connection that goes dead without a word (%s)', async (how) => {
    const { near, far } = await setUp()
    proxy.blackhole()
    await sleep(100)
    if (how === 'set') await near.set('k', 'new')
    else if (how === 'tag') await near.invalidateTags(['t'])
    else await near.clear()
    await sleep(2_000)
    expect(await far.get('k')).toBe('old')
    proxy.heal()
    const took = await until(
      async () => (await far.get('k')) !== 'old',
      bound,
      'the old value is still served',
    )
    expect(took).toBeLessThan(bound)
  })

  it('with maxBlindness, what is in memory is not used while there is no news', async () => {
    const { near, far } = await setUp({ redis: { maxBlindness: '700ms' } })
    proxy.blackhole()
    await near.set('k', 'new')
    await until(() => far.peek('k') === undefined, 1_500, 'the old value is still served')
    expect(await far.getOrSet('k', () => 'from the origin')).toBe('from the origin')
    expect(far.peek('k')).toBeUndefined()
    proxy.heal()
    await until(async () => (await far.get('k')) === 'new' && far.peek('k') === 'new', 5_000)
  })

  it('a log that was trimmed past what was read: everything in memory goes', async () => {
    const { near, far } = await setUp({ redis: { logLength: 100 } })
    await near.set('other', 1)
    await until(async () => (await far.get('other')) === 1)
    proxy.blackhole()
    await sleep(100)
    await near.set('k', 'new')
    for (let i = 0; i < 600; i++) await near.set(`filler ${i}`, i)
    proxy.heal()
    await until(async () => (await far.get('k')) === 'new', bound, 'the old value is still served')
  })

  it('a FLUSHALL under a live connection', async () => {
    const { far, prefix } = await setUp()
    await client(redis.url).flushall()
    expect(prefix).toBeTruthy()
    await until(() => far.peek('k') === undefined, bound, 'the old value is still served')
  })

  it('a change of the log by hand: an entry that is missing', async () => {
    const { near, far, prefix } = await setUp()
    proxy.blackhole()
    await sleep(50)
    await near.set('k', 'new')
    await near.set('l', 1)
    const admin = client(redis.url)
    const stream = `${prefix}{m}l|`
    const last = await admin.xrevrange(stream, '+', '-', 'COUNT', 2)
    await admin.xdel(stream, last[1]![0])
    proxy.heal()
    await until(async () => (await far.get('k')) === 'new', bound, 'the old value is still served')
  })
})

describe('fault 2: a server that comes back without its data', { timeout: 20_000 }, () => {
  it('empty, on the same port: everything in memory goes', async () => {
    const first = await startRedis()
    const prefix = `${randomUUID()}:`
    const cache = member(first.url, prefix)
    const other = member(first.url, prefix)
    await cache.set('k', 'old')
    expect(await other.get('k')).toBe('old')
    await first.kill()
    await using second = await startRedis({ port: first.port })
    expect(second.url).toBe(first.url)
    await until(() => cache.peek('k') === undefined && other.peek('k') === undefined, 5_000)
    await until(async () => (await cache.getOrSet('k', () => 'new')) === 'new')
    await until(async () => (await other.get('k')) === 'new', 5_000)
  })
})
