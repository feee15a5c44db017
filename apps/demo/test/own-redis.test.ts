import { once } from 'node:events'
import { connect } from 'node:net'
import { redisBinary } from '@flow-cache/servers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { OwnRedis } from '../src/own-redis.js'

async function start(): Promise<OwnRedis> {
  const { path, env } = await redisBinary()
  const redis = await OwnRedis.start(path, env)
  onTestFinished(() => redis.stop())
  return redis
}

/** Whether somebody listens where it did. */
async function answers({ url }: OwnRedis): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return isOpen
}

/** Has the server end by itself, and resolves when it has. */
async function shutDown({ url }: OwnRedis): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.end('SHUTDOWN NOW\r\n').resume()
  await once(socket, 'close')
}

describe('a Redis of the demo’s own', () => {
  it('that is stopped and started by several at once runs once, and can be stopped', async () => {
    const redis = await start()
    await Promise.all([
      redis.stop(),
      redis.start(),
      redis.start(),
      redis.stop(),
      redis.start(),
      redis.start(),
    ])
    expect([redis.running, await answers(redis)]).toEqual([true, true])
    await redis.stop()
    expect([redis.running, await answers(redis)]).toEqual([false, false])
  })

  it('that has ended by itself can be started again', async () => {
    const redis = await start()
    await shutDown(redis)
    await expect.poll(() => redis.running).toBe(false)
    await redis.start()
    expect(await answers(redis)).toBe(true)
  })

  it('of which there is no program is told of', async () => {
    await expect(OwnRedis.start('no-such-redis-server')).rejects.toThrow(
      'There is no no-such-redis-server here.',
    )
  })
})
