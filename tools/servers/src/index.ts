export { freePort } from './free-port.js'
export { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.js'
