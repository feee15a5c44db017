import { randomUUID } from 'node:crypto'
import { InMemoryCache } from '@flow-cache/memory'
import { RedisCache, redisJournal } from '@flow-cache/redis'
import { startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { WriteBehindCache, type WriteBehindOptions } from '@flow-cache/strategies'
import { expect, it, onTestFinished } from 'vitest'
import { recordingOrigin } from './recording-origin.js'

/** What one process has: a cache and a journal over the same server as the others. */
function startProcess(
  origin: WriteBehindOptions<unknown>['origin'],
  prefix: string,
  options: Partial<WriteBehindOptions<unknown>> = {},
) {
  const url = redisUrl()
  const cache = new RedisCache({ url, prefix, ttl: '1h', timeouts: { store: '2s' } })
  const journal = redisJournal({ url, prefix })
  const behind = new WriteBehindCache<unknown>({ cache, origin, journal, flushInterval: '1h', ...options })
  onTestFinished(async () => {
    await behind.close({ deadline: 0 })
    await cache.close()
  })
  return { cache, behind }
}

it('what one process writes or deletes, the other reads at once and brings to the origin', async () => {
  const origin = recordingOrigin()
  const prefix = `${randomUUID()}:`
  const one = startProcess(origin, prefix)
  const other = startProcess(origin, prefix)
  origin.values.set('b', 'old')
  expect(await other.behind.get('a')).toBe(undefined)
  expect(await other.behind.get('b')).toBe('old')
  await one.behind.set('a', new Map([['n', 1n]]))
  await one.behind.delete('b')
  expect(await other.behind.get('a')).toEqual(new Map([['n', 1n]]))
  expect(await other.behind.get('b')).toBe(undefined)
  expect(await other.behind.flush()).toEqual({ flushed: 2, pending: 0, dead: 0 })
  expect([...origin.values]).toEqual([['a', new Map([['n', 1n]])]])
  await one.cache.clear()
  expect([...(await one.behind.getMany(['a', 'b']))]).toEqual([['a', new Map([['n', 1n]])]])
})

it('after both have written the same keys at once, both read what the origin ends with', async () => {
  const origin = recordingOrigin()
  const prefix = `${randomUUID()}:`
  const processes = [startProcess(origin, prefix), startProcess(origin, prefix)]
  const keys = ['a', 'b', 'c', 'd']
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      processes.flatMap(({ behind }, process) =>
        Array.from({ length: 40 }, async (_, n) => {
          const key = keys[n % keys.length]!
          if (n % 5 === 4) await behind.get(key)
          else await behind.set(key, `${round} ${process} ${n}`)
          if (n % 13 === 0) await behind.flush()
        }),
      ),
    )
    const seen = await Promise.all(processes.map(({ behind }) => behind.getMany(keys)))
    expect(seen[0]).toEqual(seen[1])
    await processes[round % 2]!.behind.flush()
    for (const key of keys) {
      // The other may be writing it just now.
      await expect.poll(() => origin.values.get(key), { timeout: 10_000 }).toBe(seen[0]!.get(key))
    }
  }
  const stats = await processes[0]!.behind.stats()
  expect(stats).toMatchObject({ accepted: 2 * 32 * 10, deadLettered: 0, dropped: 0 })
  expect(stats.accepted).toBe(stats.applied + stats.coalesced + stats.pending)
})

it('while the Redis of the journal is away, reads go on, writes are refused, and both are told of', async () => {
  await using server = await startRedis({ persistent: true })
  const origin = recordingOrigin()
  origin.values.set('a', 1).set('b', 2)
  const cache = new InMemoryCache({ ttl: '1h' })
  const behind = new WriteBehindCache<unknown>({
    cache,
    origin,
    journal: redisJournal({ url: server.url }),
    flushInterval: '1h',
  })
  const errors: string[] = []
  behind.on('error', ({ during }) => errors.push(during))
  await behind.set('pending', 1)
  expect(await behind.get('a')).toBe(1)
  await server.kill()
  await expect(behind.set('a', 2)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
  expect(await behind.get('b')).toBe(2)
  expect(errors).toContain('journal read')
  // What could not be compared with the journal was not kept.
  expect(await cache.has('b')).toBe(false)
  await expect(behind.flush()).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
  await server.restart()
  await expect
    .poll(() => behind.flush().catch(() => undefined), { timeout: 20_000 })
    .toMatchObject({ pending: 0 })
  expect(origin.values.get('pending')).toBe(1)
  await behind.close()
  await cache.close()
}, 60_000)
