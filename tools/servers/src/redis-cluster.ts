import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import { type RedisServer, startRedis } from './redis-server.js'

/** One server of a Cluster or of a group that Sentinels watch. */
export interface ClusterNode {
  readonly host: string
  readonly port: number
}

/** A Redis Cluster of one's own on loopback ports. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[]
  /** Where a client may begin. */
  readonly seeds: readonly ClusterNode[]
  /** The server that has the key's slot now. */
  masterOf(key: string): Promise<RedisServer>
  stop(): Promise<void>
}

export interface RedisClusterOptions {
  /** Default: 3. */
  readonly masters?: number
  /** How many replicas in all, spread over the masters. Default: one each. */
  readonly replicas?: number
}

const slots = 16_384

/** Starts one, and resolves once every node says that all is well. */
export async function startCluster({
  masters = 3,
  replicas = masters,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: masters + replicas }, startNode))
  const clients = nodes.map(({ url }) => quiet(url))
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    const ids = await Promise.all(clients.map((client) => client.cluster('MYID') as Promise<string>))
    await Promise.all(
      clients.slice(0, masters).map((client, i) => {
        const [from, to] = [i, i + 1].map((n) => Math.floor((slots * n) / masters)) as [number, number]
        return client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1))
      }),
    )
    for (const [i, { port }] of nodes.entries()) {
      // The bus has a port of its own, which only this says.
      if (i > 0)
        await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(await busOf(clients[i]!)))
    }
    await until(async () => {
      const known = await Promise.all(
        clients.map((client) => client.call('CLUSTER', 'NODES') as Promise<string>),
      )
      return known.every((list) => ids.every((id) => list.includes(id)))
    })
    for (let i = masters; i < nodes.length; i++) {
      await clients[i]!.call('CLUSTER', 'REPLICATE', ids[i % masters]!)
    }
    await until(async () => {
      const infos = await Promise.all(
        clients.map((client) => client.call('CLUSTER', 'INFO') as Promise<string>),
      )
      const roles = await Promise.all(clients.map((client) => client.info('replication')))
      return (
        infos.every((info) => info.includes('cluster_state:ok')) &&
        roles.slice(masters).every((info) => info.includes('master_link_status:up'))
      )
    })
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const client of clients) client.disconnect()
  }
  return {
    nodes,
    seeds: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    async masterOf(key) {
      for (const node of nodes) {
        const client = quiet(node.url)
        try {
          const slot = await client.cluster('KEYSLOT', key)
          const ranges = (await client.cluster('SLOTS')) as [number, number, [string, number]][]
          const range = ranges.find(([from, to]) => from <= slot && slot <= to)
          const master = nodes.find(({ port }) => port === range?.[2][1])
          if (master !== undefined) return master
        } catch {
          // A node that is gone; the next one knows.
        } finally {
          client.disconnect()
        }
      }
      throw new Error(`no node knows who has the slot of '${key}'`)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startNode(): Promise<RedisServer> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-port': String(await freePort()),
    'cluster-node-timeout': '1000',
    'repl-diskless-sync-delay': '0',
    'repl-ping-replica-period': '1',
  }
  return startRedis({ args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]) })
}

async function busOf(client: Redis): Promise<string> {
  const [, port] = (await client.config('GET', 'cluster-port')) as [string, string]
  return port
}

/** A client that answers or fails soon, and prints nothing. */
export function quiet(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 1_000, commandTimeout: 1_000 })
  client.on('error', () => {})
  return client
}

/** Waits until it holds. */
export async function until(holds: () => Promise<boolean>, limit = 20_000): Promise<void> {
  const end = performance.now() + limit
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`the servers did not find each other within ${limit} ms`)
    await sleep(20)
  }
}
