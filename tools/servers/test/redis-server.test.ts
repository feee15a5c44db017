import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisServer, type RedisServerOptions, startRedis } from '@flow-cache/servers'
import { Redis, type RedisOptions } from 'ioredis'
import { expect, it, onTestFinished, vi } from 'vitest'
import { alive } from './alive.js'
import { startParent } from './parent.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

async function serverWith(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

function clientOf(url: string, options?: Options): Redis {
  const client = options === undefined ? new Redis(url) : new Redis(url, options)
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

type Options = Pick<RedisOptions, 'tls' | 'commandTimeout' | 'maxRetriesPerRequest' | 'retryStrategy'>

/** A temporary folder for this test alone, in which its servers have theirs. */
async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-test-'))
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  return folder
}

it('one that is persistent has after a restart what it had, whether it was killed or ended in order', async () => {
  const server = await serverWith({ persistent: true })
  const { port, pid } = server
  await clientOf(server.url).set('a', 1)
  await server.kill()
  expect(alive(pid)).toBe(false)
  await server.restart()
  expect(server.port).toBe(port)
  expect(server.pid).not.toBe(pid)
  expect(await clientOf(server.url).incr('a')).toBe(2)
  await server.restart()
  expect(await clientOf(server.url).get('a')).toBe('2')
  await server.restart({ empty: true })
  expect(await clientOf(server.url).dbsize()).toBe(0)
})

it('one that is not persistent comes back empty, and can be paused and killed again', async () => {
  const server = await serverWith()
  await clientOf(server.url).set('a', 1)
  server.pause()
  await server.restart()
  expect(await clientOf(server.url).dbsize()).toBe(0)
  server.pause()
  const waiting = clientOf(server.url, { commandTimeout: 50, maxRetriesPerRequest: 0 })
  await expect(waiting.get('a')).rejects.toThrow('timed out')
  server.resume()
  expect(await clientOf(server.url).get('a')).toBeNull()
  await server.kill()
  await server.kill()
  await server.restart()
  expect(await clientOf(server.url).dbsize()).toBe(0)
})

it('a folder that was given outlives the server', async () => {
  const dir = join(await ownFolder(), 'data')
  const first = await serverWith({ dir, persistent: true })
  await clientOf(first.url).set('a', 1)
  await first.stop()
  await first.restart()
  expect(await clientOf(first.url).incr('a')).toBe(2)
  await first.stop()
  const second = await serverWith({ dir, persistent: true })
  expect(await clientOf(second.url).get('a')).toBe('2')
})

it('its own folder goes when it stops', async () => {
  const folder = await ownFolder()
  const server = await startRedis({ persistent: true, tls: true })
  expect(await readdir(folder)).toHaveLength(1)
  await server.kill()
  await server.stop()
  await server.stop()
  expect(await readdir(folder)).toEqual([])
})

it('speaks TLS, with a certificate that a client can check, also after a restart', async () => {
  const server = await serverWith({ tls: true })
  const { url, ca } = server.tls!
  expect(await clientOf(url, { tls: { ca } }).set('a', 1)).toBe('OK')
  expect(await clientOf(server.url).get('a')).toBe('1')
  expect(await clientOf(url.replace('127.0.0.1', 'localhost'), { tls: { ca } }).get('a')).toBe('1')
  const stranger = clientOf(url, { maxRetriesPerRequest: 0, retryStrategy: null })
  const errors: Error[] = []
  stranger.on('error', (error) => errors.push(error))
  await expect(stranger.get('a')).rejects.toThrow('Connection is closed')
  expect(errors.join()).toMatch(/self.signed/)
  await server.restart()
  expect(await clientOf(url, { tls: { ca } }).dbsize()).toBe(0)
})

it('says what it needs for TLS where there is no openssl', async () => {
  vi.stubEnv('PATH', '/nowhere')
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(startRedis({ tls: true, binary: '/bin/false' })).rejects.toThrow('needs `openssl`')
})

it('has the users it is told to have', async () => {
  const server = await serverWith({
    args: ['--user', 'default', 'off', '--user', 'shop', 'on', '>secret', '~shop:*', '+@all', '-flushall'],
  })
  const shop = clientOf(server.url.replace('//', '//shop:secret@'))
  expect(await shop.set('shop:a', 1)).toBe('OK')
  await expect(shop.set('other', 1)).rejects.toThrow('NOPERM')
  await expect(shop.flushall()).rejects.toThrow('NOPERM')
  await expect(clientOf(server.url).get('shop:a')).rejects.toThrow('NOAUTH')
})

it('says why it did not start, and leaves nothing behind', async () => {
  const folder = await ownFolder()
  await expect(startRedis({ args: ['--no-such-thing', '1'] })).rejects.toThrow('no-such-thing')
  await expect(startRedis({ binary: '/no/such/program' })).rejects.toThrow('/no/such/program')
  const taken = await startRedis()
  await expect(startRedis({ port: taken.port })).rejects.toThrow('did not start')
  await taken.stop()
  expect(await readdir(folder)).toEqual([])
})

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'ends with the process that started it, and its folder goes, at a %s, also after a restart',
  async (signal) => {
    const { parent, pids, folder } = await startParent()
    expect(pids.map(alive)).toEqual([true, true])
    expect(await readdir(folder)).toHaveLength(3)
    parent.kill(signal)
    await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false]), 10_000)
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), 10_000)
  },
)
