import { type RedisCluster, type RedisServer, startCluster } from '@flow-cache/servers'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { alive } from './alive.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

const patience = { timeout: 20_000, interval: 50 }

/** What a server itself says. */
async function ask(server: RedisServer, ...[command, ...args]: [string, ...string[]]): Promise<string> {
  const client = new Redis(server.url, {
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
  })
  client.on('error', () => {})
  try {
    return String(await client.call(command, ...args))
  } finally {
    client.disconnect()
  }
}

const all = (...command: [string, ...string[]]): Promise<string[]> =>
  Promise.all(cluster.nodes.map((node) => ask(node, ...command)))

/** All is as at the start, whoever is the master now. */
const isWell = (): Promise<void> =>
  vi.waitFor(async () => {
    for (const info of await all('CLUSTER', 'INFO')) expect(info).toContain('cluster_state:ok')
    const roles = await all('INFO', 'replication')
    expect(roles.filter((info) => info.includes('master_link_status:up'))).toHaveLength(3)
    expect(roles.filter((info) => info.includes('state=online'))).toHaveLength(3)
  }, patience)

it('has three masters and three replicas, of which every one knows all', async () => {
  expect(cluster.nodes).toHaveLength(6)
  expect(cluster.seeds.map(({ port }) => port)).toEqual(cluster.nodes.map(({ port }) => port))
  await isWell()
  for (const info of await all('CLUSTER', 'INFO')) {
    expect(info).toContain('cluster_slots_ok:16384')
    expect(info).toContain('cluster_known_nodes:6')
  }
  for (const node of cluster.nodes.slice(0, 3)) expect(await ask(node, 'ROLE')).toMatch(/^master/)
  for (const node of cluster.nodes.slice(3)) expect(await ask(node, 'ROLE')).toMatch(/^slave/)
})

it('serves a client that knows one node, and says which node has a key', async () => {
  const client = new Cluster(cluster.seeds.slice(5))
  onTestFinished(() => client.disconnect())
  const masters = new Set<RedisServer>()
  for (let i = 0; i < 50; i++) {
    await client.set(`key ${i}`, i)
    const master = await cluster.masterOf(`key ${i}`)
    expect(await ask(master, 'GET', `key ${i}`)).toBe(String(i))
    masters.add(master)
  }
  expect(masters.size).toBe(3)
  expect(await cluster.masterOf('{key 1}2')).toBe(await cluster.masterOf('key 1'))
})

it('goes on with a replica when a master dies; restarted, that is a replica', async () => {
  const old = await cluster.masterOf('a')
  await ask(old, 'SET', 'a', '1')
  await vi.waitFor(async () => expect(await ask(old, 'WAIT', '1', '100')).toBe('1'))
  await old.kill()
  const master = await vi.waitFor(() => cluster.masterOf('a'), patience)
  expect(master).not.toBe(old)
  expect(await ask(master, 'GET', 'a')).toBe('1')
  await old.restart()
  await isWell()
  expect(await ask(old, 'ROLE')).toMatch(/^slave/)
  expect(await cluster.masterOf('a')).toBe(master)
})

it('goes on with a replica when a master hangs, and does not take it for the master when it is back', async () => {
  await isWell()
  const old = await cluster.masterOf('a')
  old.pause()
  const master = await vi.waitFor(() => cluster.masterOf('a'), patience)
  expect(master).not.toBe(old)
  old.resume()
  expect(await cluster.masterOf('a')).toBe(master)
  await isWell()
  expect(await cluster.masterOf('a')).toBe(master)
})

it('can be of another size, and leaves nothing running, be some dead or paused', async () => {
  const small = await startCluster({ masters: 2, replicas: 1, args: ['--maxmemory', '50mb'] })
  expect(small.nodes).toHaveLength(3)
  for (const node of small.nodes) expect(await ask(node, 'CONFIG', 'GET', 'maxmemory')).toMatch('52428800')
  await small.nodes[0]!.kill()
  small.nodes[1]!.pause()
  await small.stop()
  await small.stop()
  expect(small.nodes.map(({ pid }) => alive(pid))).toEqual([false, false, false])
})

it('says why it did not start', async () => {
  await expect(startCluster({ args: ['--no-such-thing', '1'] })).rejects.toThrow('no-such-thing')
})
