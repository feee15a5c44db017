export { freePort } from './free-port.js'
export { type Passage, type Proxy, startProxy } from './proxy.js'
export { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.js'
