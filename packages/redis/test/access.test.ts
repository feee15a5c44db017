import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RedisCache, redisJournal } from '@flow-cache/redis'
import { freePort, startRedis } from '@flow-cache/servers'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

/** Everything a cache does, once. */
async function use(cache: RedisCache): Promise<void> {
  const errors: unknown[] = []
  cache.on('error', (event) => errors.push(event))
  await cache.set('a', 1, { tags: ['t'], grace: '1h' })
  expect(await cache.getOrSet('b', () => 2, { tags: ['t'], grace: '1h' })).toBe(2)
  expect((await cache.getMany(['a', 'b'])).size).toBe(2)
  expect(await cache.expire('a')).toBe(true)
  expect(await cache.getOrSet('a', () => 3)).toBe(3)
  expect(await cache.delete('a')).toBe(true)
  await cache.invalidateTags(['t'])
  expect(await cache.get('b')).toBeUndefined()
  await cache.set('c', 1)
  expect(await cache.clearPattern('c*')).toBe(1)
  await cache.clear()
  await sleep(100)
  expect(errors).toEqual([])
}

/** Everything a journal does, once. */
async function useJournal(url: string, prefix: string): Promise<void> {
  const journal = redisJournal({ url, prefix })
  try {
    for (const key of ['a', 'b', 'b'])
      expect(await journal.put(key, { kind: 'put', value: 1 }, 10)).toBeDefined()
    const [a, b] = await journal.claim(2, 10_000)
    await journal.ack([a!])
    await journal.fail([{ ...b!, error: 'no', retryIn: 'never' }])
    expect(await journal.deadLetters(10)).toMatchObject([{ key: 'b', error: 'no' }])
    expect(await journal.retry()).toEqual(['b'])
    const [again] = await journal.claim(1, 10_000)
    await journal.fail([{ ...again!, error: 'no', retryIn: 'never' }])
    expect(await journal.read(['b'])).toMatchObject(new Map([['b', { dead: true }]]))
    expect(await journal.drop(['b'])).toEqual(['b'])
    expect(await journal.counts()).toMatchObject({ pending: 0, deadLettered: 0 })
  } finally {
    await journal.close()
  }
}

/** Adds the user that the README describes; answers with how to come in as it. */
async function letIn(admin: Redis, url: string, ...more: string[]): Promise<string> {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')
  const rule = /ACL SETUSER cache (on >secret .*)/.exec(readme)?.[1]
  expect(rule).toContain('~shop:*')
  await admin.call('ACL', 'SETUSER', 'cache', ...rule!.split(' '), ...more)
  return url.replace('redis://', 'redis://cache:secret@')
}

describe('who may use the server', { timeout: 30_000 }, () => {
  it('a user with no more rights than the README names', async () => {
    await using server = await startRedis()
    const admin = new Redis(server.url)
    const url = await letIn(admin, server.url)
    await using cache = new RedisCache({ url, prefix: 'shop:' })
    await use(cache)
    // It has no others.
    await using stranger = new RedisCache({ url, prefix: 'else:' })
    const failed: unknown[] = []
    stranger.on('error', ({ error }) => failed.push(error))
    await stranger.set('a', 1)
    expect(String((failed[0] as Error).cause)).toMatch(/NOPERM/)
    await admin.quit()
  })

  it('a user with the rights that the README names for a journal, and with none of them less', async () => {
    await using server = await startRedis()
    const admin = new Redis(server.url)
    const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')
    const more = /`(\+hdel [^`]*)`/.exec(readme)![1]!.split(' ')
    const url = await letIn(admin, server.url, ...more)
    await useJournal(url, 'shop:journal:')
    await expect(useJournal(url, 'else:')).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
    for (const right of more) {
      await admin.call('ACL', 'SETUSER', 'cache', right.replace('+', '-'))
      // What it got done before it was refused.
      await admin.flushdb()
      await expect(useJournal(url, 'shop:journal:'), right).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
      await admin.call('ACL', 'SETUSER', 'cache', right)
    }
    await admin.quit()
  })

  it('a wrong password fails each call, with the server’s words', async () => {
    await using server = await startRedis({ args: ['--requirepass', 'right'] })
    await using cache = new RedisCache({ url: server.url.replace('://', '://:wrong@') })
    const failed: unknown[] = []
    cache.on('error', ({ error }) => failed.push(error))
    expect(await cache.getOrSet('a', () => 'loaded')).toBe('loaded')
    const causes = (error: unknown): string =>
      error instanceof Error ? `${error.message} ${causes(error.cause)}` : ''
    expect(failed.map(causes).join()).toMatch(/WRONGPASS|NOAUTH|invalid/)
  })

  it('over TLS, with a certificate that is checked', async () => {
    const file = (name: string): string => fileURLToPath(new URL(`tls/${name}.pem`, import.meta.url))
    const port = await freePort()
    const tls = {
      'tls-port': port,
      'tls-cert-file': file('cert'),
      'tls-key-file': file('key'),
      'tls-auth-clients': 'no',
    }
    const args = Object.entries(tls).flatMap(([name, value]) => [`--${name}`, String(value)])
    await using server = await startRedis({ args })
    expect(server.port).not.toBe(port)
    const ca = readFileSync(file('cert'))
    await using cache = new RedisCache({ url: `rediss://localhost:${port}`, options: { tls: { ca } } })
    await use(cache)
    await using stranger = new RedisCache({ url: `rediss://localhost:${port}` })
    let failed = false
    stranger.on('error', () => (failed = true))
    await stranger.set('a', 1)
    expect(failed).toBe(true)
  })
})

describe('a server whose scripts are flushed', { timeout: 30_000 }, () => {
  it('gets them again, whatever is called first', async () => {
    await using server = await startRedis()
    const admin = new Redis(server.url)
    await using cache = new RedisCache({ url: server.url })
    const calls = [
      () => cache.set('k', 1),
      () => cache.getOrSet(`new ${Math.random()}`, () => 1),
      () => cache.delete('k'),
      () => cache.expire('k'),
      () => cache.invalidateTags(['t']),
      () => cache.clear(),
    ]
    const errors: unknown[] = []
    cache.on('error', (event) => errors.push(event))
    for (const call of [...calls, ...calls]) {
      await admin.script('FLUSH')
      await call()
    }
    expect(errors).toEqual([])
    await cache.set('k', 'kept')
    expect(await cache.get('k')).toBe('kept')
    await admin.quit()
  })
})

describe('a server that keeps a file', { timeout: 30_000 }, () => {
  it('comes back with what it had: entries are answered, and nothing is taken for lost', async () => {
    const port = await freePort()
    const folder = mkdtempSync(`${tmpdir()}/flow-cache-aof-`)
    const args = ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always']
    const first = await startRedis({ port, args })
    await using cache = new RedisCache({ url: first.url, ttl: '1h' })
    await cache.set('k', 'before', { tags: ['t'] })
    await first.kill()
    await using second = await startRedis({ port, args })
    expect(second.url).toBe(first.url)
    const end = performance.now() + 5_000
    while ((await cache.get('k')) !== 'before' && performance.now() < end) await sleep(20)
    expect(await cache.get('k')).toBe('before')
    await cache.invalidateTags(['t'])
    expect(await cache.get('k')).toBeUndefined()
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('a server that evicts', { timeout: 30_000 }, () => {
  it.each(['allkeys-lru', 'allkeys-random', 'volatile-lru'])(
    'under %s, what is lost is a miss and never an old value',
    async (policy) => {
      await using server = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', policy] })
      const url = server.url
      await using cache = new RedisCache({ url, ttl: '1h', timeouts: { store: '10s' }, leaseTerm: '20s' })
      await using other = new RedisCache({ url, ttl: '1h', timeouts: { store: '10s' }, leaseTerm: '20s' })
      let truth = 0
      const text = 'x'.repeat(2_000)
      for (let round = 0; round < 10; round++) {
        truth++
        await cache.invalidateTags(['t'])
        // The news is on its way to the other.
        await sleep(20)
        for (let i = 0; i < 200; i++) {
          const load = () => `${truth} ${text}`
          const value = await [cache, other][i % 2]!.getOrSet(`k${i}`, load, { tags: ['t'] })
          expect(value.split(' ')[0]).toBe(String(truth))
        }
      }
    },
  )
})
