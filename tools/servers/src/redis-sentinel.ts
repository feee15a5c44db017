import { type RedisServer, startRedis } from './redis-server.js'
import { allOrNone, ask, askAll, type Seed, seedOf, stopAll, until } from './topology.js'

/** A master, its replicas, and the Sentinels that watch them, on loopback ports. */
export interface RedisSentinel extends AsyncDisposable {
  /** What the Sentinels call the master. */
  readonly name: string
  /** Where a client asks who the master is: all Sentinels. */
  readonly sentinels: readonly Seed[]
  /** The Sentinels themselves, in the same order. */
  readonly watchers: readonly RedisServer[]
  /** First the one that begins as the master, then its replicas. */
  readonly servers: readonly RedisServer[]
  /** The server that most Sentinels call the master now; after a death that is the dead one until they have agreed. */
  master(): Promise<RedisServer>
  stop(): Promise<void>
}

export interface RedisSentinelOptions {
  /** Default: 3. More than half of them have to agree. */
  readonly sentinels?: number
  /** Default: 2. */
  readonly replicas?: number
  /** Further arguments of the master and the replicas. */
  readonly args?: readonly string[]
}

const name = 'main'

/** Starts them, and resolves once the replicas have what the master has and the Sentinels know all. Needs Redis 7. */
export async function startSentinel({
  sentinels = 3,
  replicas = 2,
  args = [],
}: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const own = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1', ...args]
  const servers = [await startRedis({ args: own })]
  const watchers: RedisServer[] = []
  const stop = async (): Promise<void> => {
    await stopAll([...watchers, ...servers])
  }
  try {
    const { port } = servers[0]!
    const replica = [...own, '--replicaof', '127.0.0.1', String(port)]
    servers.push(...(await allOrNone(Array.from({ length: replicas }, () => startRedis({ args: replica })))))
    await until(async () => {
      const info = await ask(servers[0]!, (client) => client.info('replication'))
      return info.split('state=online').length - 1 === replicas
    })
    const sentinel = [
      `sentinel monitor ${name} 127.0.0.1 ${port} ${Math.floor(sentinels / 2) + 1}`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 2000`,
    ]
    watchers.push(...(await allOrNone(Array.from({ length: sentinels }, () => startWatcher(sentinel)))))
    const known = `status=ok,address=127.0.0.1:${port},slaves=${replicas},sentinels=${sentinels}`
    await until(async () => {
      const infos = await askAll(watchers, (client) => client.info('sentinel'))
      return infos.length === sentinels && infos.every((info) => info.includes(known))
    })
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name,
    sentinels: watchers.map(seedOf),
    watchers,
    servers,
    master: () => masterOf(servers, watchers),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/**
 * In milliseconds. With the usual 1,000 between two attempts to connect, a Sentinel takes the master that it has made
 * for dead after the 500 that we allow, and makes another.
 */
const periods = { 'ping-period': 100, 'ask-period': 100, 'info-period': 500, 'publish-period': 500 }

async function startWatcher(sentinel: readonly string[]): Promise<RedisServer> {
  const watcher = await startRedis({ sentinel })
  // It keeps them in no file.
  const hurry = (): Promise<unknown> =>
    ask(watcher, (client) => client.call('SENTINEL', 'DEBUG', ...Object.entries(periods).flat()))
  const { restart } = watcher
  watcher.restart = async (options) => {
    await restart(options)
    await hurry()
  }
  await hurry()
  return watcher
}

async function masterOf(
  servers: readonly RedisServer[],
  watchers: readonly RedisServer[],
): Promise<RedisServer> {
  const ports = await askAll(watchers, async (client) => {
    const [, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string]
    return Number(port)
  })
  const votes = (server: RedisServer): number => ports.filter((port) => port === server.port).length
  const [first] = servers.toSorted((a, b) => votes(b) - votes(a))
  if (first === undefined || votes(first) === 0) throw new Error('no Sentinel that answers knows a master')
  return first
}
