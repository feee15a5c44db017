import type { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import { type RedisServer, startRedis } from './redis-server.js'
import { allOrNone, ask, askAll, type Seed, seedOf, stopAll, until } from './topology.js'

/** A Redis Cluster of one's own on loopback ports. */
export interface RedisCluster extends AsyncDisposable {
  /** First those that begin as masters, then their replicas. One that was killed can be restarted as what it was. */
  readonly nodes: readonly RedisServer[]
  /** Where a client may begin: all of them. */
  readonly seeds: readonly Seed[]
  /** The node that serves the key now. Rejects while there is none, as between a death and the election. */
  masterOf(key: string): Promise<RedisServer>
  stop(): Promise<void>
}

export interface RedisClusterOptions {
  /** Default: 3. */
  readonly masters?: number
  /** How many replicas in all, spread over the masters. Default: one each. */
  readonly replicas?: number
  /** Further arguments of every node. */
  readonly args?: readonly string[]
}

/** Starts one, and resolves once all is well and every node sees all others in their places. Needs Redis 7. */
export async function startCluster({
  masters = 3,
  replicas = masters,
  args = [],
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes = await allOrNone(Array.from({ length: masters + replicas }, () => startNode(args)))
  const stop = (): Promise<void> => stopAll(nodes)
  try {
    await unite(nodes, masters)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    seeds: nodes.map(seedOf),
    masterOf: (key) => masterOf(nodes, key),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startNode(args: readonly string[]): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const settings = {
      'cluster-enabled': 'yes',
      // The usual one, 10,000 higher than the other, may not exist.
      'cluster-port': String(await freePort()),
      'cluster-node-timeout': '1000',
      'repl-diskless-sync-delay': '0',
      'repl-ping-replica-period': '1',
    }
    const own = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
    try {
      return await startRedis({ args: [...own, ...args] })
    } catch (error) {
      // Somebody may have taken that port.
      if (attempt === 3) throw error
    }
  }
}

const slots = 16_384

/** Makes a Cluster of nodes that do not know each other: the first so many share the slots, the rest replicate them. */
async function unite(nodes: readonly RedisServer[], masters: number): Promise<void> {
  const [first] = nodes as [RedisServer]
  const ids = await Promise.all(nodes.map((node) => ask(node, (client) => client.cluster('MYID'))))
  for (const [i, node] of nodes.entries()) {
    await ask(node, async (client) => {
      // Masters that begin with one and the same would have to settle it among themselves.
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      if (i >= masters) return
      const [from, to] = [Math.floor((slots * i) / masters), Math.floor((slots * (i + 1)) / masters) - 1]
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    })
  }
  for (const node of nodes.slice(1)) {
    // The bus has a port of its own, which only this says.
    const [, bus] = (await ask(node, (client) => client.config('GET', 'cluster-port'))) as [string, string]
    await ask(first, (client) => client.call('CLUSTER', 'MEET', '127.0.0.1', node.port, bus))
  }
  await until(() => all(nodes, async (client) => (await linesOf(client)).length === nodes.length))
  for (const [i, node] of nodes.entries()) {
    if (i >= masters) await ask(node, (client) => client.call('CLUSTER', 'REPLICATE', ids[i % masters]!))
  }
  await until(() => all(nodes, (client) => isSettled(client, nodes.length, masters)))
}

/** Whether a node says that all is well, is in touch with those that it replicates or that replicate it, and sees all. */
async function isSettled(client: Redis, nodes: number, masters: number): Promise<boolean> {
  const state = (await client.call('CLUSTER', 'INFO')) as string
  const replication = await client.info('replication')
  const ranges = await client.cluster('SLOTS')
  const lines = await linesOf(client)
  return (
    state.includes('cluster_state:ok') &&
    !/master_link_status:down|state=(?!online)/.test(replication) &&
    lines.every(({ linked }) => linked) &&
    ranges.length === masters &&
    ranges.reduce((sum, [, , ...servers]) => sum + servers.length, 0) === nodes
  )
}

async function all(
  nodes: readonly RedisServer[],
  holds: (client: Redis) => Promise<boolean>,
): Promise<boolean> {
  const answers = await askAll(nodes, holds)
  return answers.length === nodes.length && answers.every(Boolean)
}

/** What a node says of itself or of another. */
interface Line {
  readonly flags: readonly string[]
  readonly epoch: number
  readonly linked: boolean
  /** The slots that it has, both ends included. */
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

async function linesOf(client: Redis): Promise<Line[]> {
  const text = (await client.call('CLUSTER', 'NODES')) as string
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, , flags, , , , epoch, link, ...ranges] = line.split(' ')
      return {
        flags: flags!.split(','),
        epoch: Number(epoch),
        linked: link === 'connected',
        ranges: ranges.map((range) => {
          const [from, to = from] = range.split('-').map(Number)
          return [from!, to!] as const
        }),
      }
    })
}

async function masterOf(nodes: readonly RedisServer[], key: string): Promise<RedisServer> {
  const claims = await askAll(nodes, async (client, server) => {
    const slot = await client.cluster('KEYSLOT', key)
    const self = (await linesOf(client)).find(({ flags }) => flags.includes('myself'))!
    const owns = self.flags.includes('master') && self.ranges.some(([from, to]) => from <= slot && slot <= to)
    return { server, epoch: owns ? self.epoch : -1 }
  })
  // One that was away may not know yet that it has been replaced.
  const [newest] = claims.filter(({ epoch }) => epoch >= 0).toSorted((a, b) => b.epoch - a.epoch)
  if (newest === undefined) throw new Error(`no node that answers serves '${key}'`)
  return newest.server
}
