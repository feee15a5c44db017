import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { journalCases } from '@flow-cache/core/testing'
import { redisJournal, type RedisJournalOptions } from '@flow-cache/redis'
import { startCluster, startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

function open(options: RedisJournalOptions) {
  const journal = redisJournal(options)
  onTestFinished(() => journal.close())
  return journal
}

describe('redisJournal keeps the journal contract', () => {
  for (const { name, run } of journalCases) {
    it(name, () => {
      const to = { url: redisUrl(), prefix: `${randomUUID()}:` }
      return run({ journal: open(to), pass: sleep, other: async () => open(to) })
    })
  }
})

it('a journal on a Cluster is one slot', async () => {
  await using cluster = await startCluster()
  const journal = open({ cluster: { nodes: cluster.nodes } })
  // A busy machine may answer too late to be seen at the first try.
  await vi.waitFor(() => journal.open(), { timeout: 60_000, interval: 100 })
  const sequence = await journal.put('a', { kind: 'put', value: 1 }, 10)
  expect(await journal.claim(1, 1_000)).toMatchObject([{ key: 'a', value: 1 }])
  await journal.ack([{ key: 'a', sequence: sequence! }])
  expect(await journal.counts()).toMatchObject({ accepted: 1, applied: 1 })
  journal.close()
}, 120_000)

it('a server that may evict keys is refused, and taken once it may not', async () => {
  await using server = await startRedis({
    args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
  })
  const journal = open({ url: server.url })
  await expect(journal.open()).rejects.toMatchObject({
    code: 'ERR_JOURNAL',
    message: expect.stringContaining('maxmemory-policy is allkeys-lru, and must be noeviction') as string,
  })
  await expect(journal.put('a', { kind: 'delete' }, 10)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
  const redis = new Redis(server.url)
  expect(await redis.dbsize()).toBe(0)
  await redis.config('SET', 'maxmemory-policy', 'noeviction')
  await journal.open()
  expect(await journal.put('a', { kind: 'delete' }, 10)).toBeGreaterThan(0)
  // Asked again by every new connection.
  await redis.config('SET', 'maxmemory-policy', 'volatile-ttl')
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await expect
    .poll(
      () =>
        journal.open().then(
          () => '',
          (error: Error) => error.message,
        ),
      { timeout: 20_000 },
    )
    .toContain('volatile-ttl')
  redis.disconnect()
})

it('a server that is full rejects writes, and keeps what it has', async () => {
  await using server = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
  const journal = open({ url: server.url })
  let accepted = 0
  const failure = await (async () => {
    for (;;) {
      await journal.put(`k${accepted}`, { kind: 'put', value: 'x'.repeat(50_000) }, 1e6)
      accepted++
    }
  })().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ERR_JOURNAL', message: expect.stringContaining('OOM') as string })
  expect(await journal.counts()).toMatchObject({ accepted, pending: accepted })
})

it('a server that is away is ERR_JOURNAL, and what it kept on disk is there when it is back', async () => {
  await using server = await startRedis({ persistent: true })
  const journal = open({ url: server.url })
  const first = await journal.put('a', { kind: 'put', value: new Date(5) }, 10)
  await server.kill()
  await expect(journal.put('b', { kind: 'delete' }, 10)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
  await server.restart()
  await expect
    .poll(
      () =>
        journal.open().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true)
  expect((await journal.read(['a'])).get('a')).toMatchObject({ value: new Date(5), sequence: first })
})

it('sequences grow also when the server has lost everything', async () => {
  const url = redisUrl()
  const prefix = `${randomUUID()}:`
  const journal = open({ url, prefix })
  const before = await journal.put('a', { kind: 'delete' }, 10)
  const redis = new Redis(url)
  const keys = await redis.keys(`${prefix}*`)
  expect(keys.length).toBeGreaterThan(0)
  await redis.del(keys)
  redis.disconnect()
  expect(await journal.put('a', { kind: 'delete' }, 10)).toBeGreaterThan(before!)
})

it('a write that has to be on disk is, and one that a replica has to have is refused where there is none', async () => {
  await using server = await startRedis({ persistent: true })
  const redis = new Redis(server.url)
  const waits = await redis.call('COMMAND', 'INFO', 'WAITAOF')
  const disk = (waits as unknown[])[0] !== null
  redis.disconnect()
  const onDisk = open({ url: server.url, confirm: { disk: true, timeout: 500 } })
  if (disk) expect(await onDisk.put('a', { kind: 'delete' }, 10)).toBeGreaterThan(0)
  else await expect(onDisk.put('a', { kind: 'delete' }, 10)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
  const replicated = open({ url: server.url, confirm: { replicas: 1, timeout: 50 } })
  await expect(replicated.put('b', { kind: 'delete' }, 10)).rejects.toThrow('0 of 1 replicas have it')
})

it('a write that is on its way for longer than its caller waits is not accepted when it arrives', async () => {
  await using server = await startRedis()
  const journal = open({ url: server.url })
  await journal.put('a', { kind: 'put', value: 'before' }, 10)
  server.pause()
  // Waits for as long as it takes for the connection to be given up.
  await expect(journal.put('a', { kind: 'put', value: 'late' }, 10)).rejects.toMatchObject({
    code: 'ERR_JOURNAL',
  })
  await sleep(500)
  server.resume()
  await expect
    .poll(
      () =>
        journal.open().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true)
  expect((await journal.read(['a'])).get('a')).toMatchObject({ value: 'before' })
  expect(await journal.counts()).toMatchObject({ accepted: 1 })
}, 60_000)

it('a value that cannot be decoded becomes a dead letter without one, and holds up nobody', async () => {
  const to = { url: redisUrl(), prefix: `${randomUUID()}:` }
  const encode = () => Buffer.from('{')
  const broken = open({ ...to, codec: { name: 'x', encode, decode: () => undefined } })
  await broken.put('a', { kind: 'put', value: 1 }, 10)
  const journal = open(to)
  await journal.put('b', { kind: 'put', value: 2 }, 10)
  expect((await journal.claim(10, 1_000)).map(({ key }) => key)).toEqual(['b'])
  const [letter] = await journal.deadLetters(10)
  expect(letter).toMatchObject({ key: 'a', value: undefined })
  expect(letter!.error).toContain('cannot be decoded')
})

describe('options', () => {
  it.each<[unknown, RegExp]>([
    [{ prefix: 'a|b' }, /prefix must not contain/],
    [{ maxValueBytes: 0 }, /maxValueBytes/],
    [{ confirm: { replicas: -1 } }, /confirm.replicas/],
    [{ confirm: { disk: true }, cluster: { nodes: ['redis://127.0.0.1:1'] } }, /confirm/],
    [{ appendfsync: 'always' }, /unknown option 'appendfsync'/],
  ])('%o is refused', (wrong, message) => {
    expect(() => redisJournal(wrong as RedisJournalOptions)).toThrow(message)
  })
})
