export { type Chromium, chromium } from './chromium.js'
export { type EdgeWorker, startEdgeWorker } from './edge-worker.js'
export { freePort } from './free-port.js'
export { type PostgresServer, startPostgres } from './postgres-server.js'
export { type Proxy, startProxy, type ProxyTarget } from './proxy.js'
export type { ProxyConnection } from './proxy-connection.js'
export { type RedisBinary, redisBinary } from './redis-binary.js'
export { type RedisCluster, type RedisClusterOptions, startCluster } from './redis-cluster.js'
export { type RedisSentinel, type RedisSentinelOptions, startSentinel } from './redis-sentinel.js'
export {
  type RedisServer,
  type RedisServerOptions,
  type RedisTls,
  type RestartOptions,
  startRedis,
} from './redis-server.js'
export type { Seed } from './topology.js'
