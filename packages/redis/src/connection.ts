import { systemRandom } from '@flow-cache/core'
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import type { RedisConnectionOptions } from './options.js'

/** The client of one connection: to a server, or to the nodes of a Cluster. */
export type Client = Redis | Cluster

/** What makes a connection what it is for. */
export interface ConnectionKind {
  /** Sends together what is called in one turn; to a single server, from each {@link gather} on. */
  readonly pipelined: boolean
  /** After how long without an answer to a command the connection is taken for dead, in milliseconds. */
  readonly silence: number
}

/** The pause before the connection is tried again: grows up to a second, and differs between processes. */
const retry = (attempt: number): number => Math.min(25 * 2 ** attempt, 1_000) * (0.75 + systemRandom() / 4)

/**
 * Opens a connection. It never queues a command while the server is away and never sends one twice: what was
 * reported as failed does not happen later.
 */
export function connect(to: RedisConnectionOptions, kind: ConnectionKind): Client {
  const safe: RedisOptions = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    lazyConnect: false,
    enableReadyCheck: true,
    retryStrategy: retry,
    // A former master that is now a replica: find the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // It copies what is sent, and makes promises of its own; see `gather`.
    enableAutoPipelining: false,
    socketTimeout: kind.silence,
    connectTimeout: 2_000,
  }
  const spread: ClusterOptions = {
    enableOfflineQueue: false,
    enableAutoPipelining: kind.pipelined,
    lazyConnect: false,
    clusterRetryStrategy: retry,
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    retryDelayOnTryAgain: 50,
    slotsRefreshTimeout: 1_000,
    scaleReads: 'master',
  }
  const client = open(to, safe, spread)
  // Every command that fails says so itself; without a listener ioredis would print.
  client.on('error', () => {})
  return client
}

/** Has what is sent from here on, to one server, leave together once this turn of the event loop is done. */
export function gather(client: Client): void {
  if (isCluster(client)) return
  const stream = client.stream as typeof client.stream | undefined
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}

/** Answers have the shape of every version of ioredis, whatever a template says. */
const replyMapping = 'legacy' as const

function open(
  { url, options, cluster, client }: RedisConnectionOptions,
  safe: RedisOptions,
  spread: ClusterOptions,
): Client {
  if (client !== undefined) {
    if (!isCluster(client)) return client.duplicate({ ...safe, replyMapping })
    const redisOptions = { ...client.options.redisOptions, ...safe, replyMapping }
    return client.duplicate([], { ...spread, redisOptions })
  }
  if (cluster !== undefined) {
    const { nodes, options: own } = cluster
    const redisOptions = { ...own?.redisOptions, ...safe, replyMapping }
    return new Cluster([...nodes], { ...own, ...spread, redisOptions })
  }
  const all = { ...options, ...safe, replyMapping }
  return url === undefined ? new Redis(all) : new Redis(url, all)
}

/** Whether these lead to a Cluster. */
export const isClusterOf = ({ cluster, client }: RedisConnectionOptions): boolean =>
  cluster !== undefined || client?.isCluster === true

export const isCluster = (client: Client): client is Cluster => client.isCluster

/** Refuses what cannot be meant, before anything is opened. */
export function checkConnection({ url, options, cluster, client }: RedisConnectionOptions): void {
  const given = Object.entries({ client, cluster, 'url or options': url ?? options }).filter(([, v]) => v)
  if (given.length > 1) {
    throw new TypeError(
      `give one of url, options, cluster and client, not ${given.map(([n]) => n).join(' and ')}`,
    )
  }
  if (url !== undefined && !(typeof url === 'string' && /^rediss?:\/\/./.test(url))) {
    throw new TypeError(`url must begin with redis:// or rediss://, got ${JSON.stringify(url)}`)
  }
  if (client !== undefined && typeof (client as Partial<Client>).duplicate !== 'function') {
    throw new TypeError('client must be a Redis or a Cluster of ioredis')
  }
  if (cluster !== undefined && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    throw new TypeError('cluster.nodes must name at least one node')
  }
  const prefixed =
    client !== undefined ? client.options.keyPrefix : (cluster?.options?.keyPrefix ?? options?.keyPrefix)
  if (prefixed) {
    throw new TypeError(
      `the client has the keyPrefix '${prefixed}': give it to the store as 'prefix' instead`,
    )
  }
}
