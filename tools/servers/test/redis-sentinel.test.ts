import { type RedisSentinel, startSentinel } from '@flow-cache/servers'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { alive } from './alive.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let group: RedisSentinel
beforeAll(async () => {
  group = await startSentinel()
})
afterAll(() => group.stop())

const patience = { timeout: 20_000, interval: 50 }

function clientOf(): Redis {
  const client = new Redis({
    sentinels: [...group.sentinels],
    name: group.name,
    sentinelRetryStrategy: () => 50,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

/** Resolves once the master has all replicas and every Sentinel sees it so. */
const isWell = (): Promise<void> =>
  vi.waitFor(async () => {
    const { port, url } = await group.master()
    const client = new Redis(url)
    const info = await client.info('replication').finally(() => client.disconnect())
    expect(info.match(/state=online/g)).toHaveLength(2)
    for (const watcher of group.watchers) {
      const sentinel = new Redis(watcher.url)
      const seen = await sentinel.info('sentinel').finally(() => sentinel.disconnect())
      expect(seen).toContain(`status=ok,address=127.0.0.1:${port},slaves=2,sentinels=3`)
    }
  }, patience)

it('leads a client to the master, whose replicas have what it has', async () => {
  expect(group.servers).toHaveLength(3)
  expect(group.sentinels.map(({ port }) => port)).toEqual(group.watchers.map(({ port }) => port))
  expect(await group.master()).toBe(group.servers[0])
  await isWell()
  const client = clientOf()
  await client.set('a', 1)
  expect(await client.wait(2, 5_000)).toBe(2)
  for (const { url } of group.servers) {
    const direct = new Redis(url)
    expect(await direct.get('a')).toBe('1')
    direct.disconnect()
  }
})

it('makes a replica the master when the master dies; restarted, that is a replica', async () => {
  const client = clientOf()
  await client.set('b', 1)
  expect(await client.wait(2, 5_000)).toBe(2)
  const old = await group.master()
  await old.kill()
  await vi.waitFor(async () => expect(await group.master()).not.toBe(old), patience)
  expect(await client.incr('b')).toBe(2)
  const master = await group.master()
  await old.restart()
  await isWell()
  expect(await group.master()).toBe(master)
})

it('makes a replica the master when the master hangs, with one Sentinel dead', async () => {
  await isWell()
  const [watcher] = group.watchers
  await watcher!.kill()
  const old = await group.master()
  old.pause()
  await vi.waitFor(async () => expect(await group.master()).not.toBe(old), patience)
  const master = await group.master()
  old.resume()
  await watcher!.restart()
  await isWell()
  expect(await group.master()).toBe(master)
})

it('can be of another size, and leaves nothing running, be some dead or paused', async () => {
  const small = await startSentinel({ sentinels: 1, replicas: 1, args: ['--maxmemory', '50mb'] })
  const servers = [...small.servers, ...small.watchers]
  expect(servers).toHaveLength(3)
  await small.servers[0]!.kill()
  small.servers[1]!.pause()
  await small.stop()
  await small.stop()
  expect(servers.map(({ pid }) => alive(pid))).toEqual([false, false, false])
})
