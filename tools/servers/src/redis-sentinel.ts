import { quiet, until, type ClusterNode } from './redis-cluster.js'
import { type RedisServer, startRedis } from './redis-server.js'

/** A master, its replicas, and the Sentinels that watch them, on loopback ports. */
export interface RedisSentinel extends AsyncDisposable {
  /** What the Sentinels call the master. */
  readonly name: string
  /** Where a client asks who the master is. */
  readonly sentinels: readonly ClusterNode[]
  /** The master and the replicas, in the order they were started. */
  readonly servers: readonly RedisServer[]
  /** The master as the Sentinels see it now. */
  master(): Promise<RedisServer>
  stop(): Promise<void>
}

/** Starts three Sentinels over a master and two replicas; resolves once they know each other. */
export async function startSentinel(): Promise<RedisSentinel> {
  const name = 'main'
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  const servers = [master]
  const sentinels: RedisServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all([...sentinels, ...servers].map((server) => server.stop()))
  }
  const current = async (): Promise<number | undefined> => {
    for (const { url } of sentinels) {
      const client = quiet(url)
      try {
        const answer = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string]
        return Number(answer[1])
      } catch {
        // Ask the next one.
      } finally {
        client.disconnect()
      }
    }
    return undefined
  }
  try {
    const replica = ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0']
    servers.push(...(await Promise.all([1, 2].map(() => startRedis({ args: replica })))))
    await untilSeen(
      master.url,
      (info) => info.includes('connected_slaves:2') && !info.includes('state=wait_bgsave'),
    )
    const settings = [
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 3000`,
    ]
    sentinels.push(...(await Promise.all([1, 2, 3].map(() => startRedis({ sentinel: settings })))))
    for (const { url } of sentinels) {
      await untilSeen(
        url,
        (info) => info.includes('slaves=2,sentinels=3') && info.includes('status=ok'),
        'sentinel',
      )
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name,
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    servers,
    async master() {
      const port = await current()
      const found = servers.find((server) => server.port === port)
      if (found === undefined) throw new Error('the Sentinels know no master')
      return found
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function untilSeen(
  url: string,
  holds: (info: string) => boolean,
  section = 'replication',
): Promise<void> {
  const client = quiet(url)
  try {
    await until(async () => holds(await client.info(section)))
  } finally {
    client.disconnect()
  }
}
