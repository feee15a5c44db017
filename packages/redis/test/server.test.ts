import { startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'

it('the server of the run keeps what it is given, for as long as it is told', async () => {
  const redis = new Redis(redisUrl())
  const key = 'server.test:a'
  expect(await redis.set(key, 'b', 'PX', 60_000)).toBe('OK')
  expect(await redis.get(key)).toBe('b')
  expect(await redis.pttl(key)).toBeGreaterThan(50_000)
  await redis.del(key)
  await redis.quit()
})

it('a test can have a server of its own, pause it, kill it and bring it back empty on the same port', async () => {
  const first = await startRedis()
  const redis = new Redis(first.url, { commandTimeout: 100, retryStrategy: () => 10 })
  redis.on('error', () => {})
  await redis.set('a', 'b')

  first.pause()
  await expect(redis.get('a')).rejects.toThrow('timed out')
  first.resume()
  expect(await redis.get('a')).toBe('b')

  await first.kill()
  await using second = await startRedis({ port: first.port })
  expect(second.url).toBe(first.url)
  const again = new Redis(second.url)
  expect(await again.dbsize()).toBe(0)
  await again.quit()
  redis.disconnect()
})

it('a server that is stopped twice, or while it is paused, stops', async () => {
  const server = await startRedis()
  server.pause()
  await server.stop()
  await server.stop()
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
})
