import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCache, createEntry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { libsqlStore } from '@flow-cache/libsql'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import Database from 'libsql'
import { beforeAll, expect, it } from 'vitest'
import { freshPath } from './files.js'
import { build, startProcess } from './store-process.js'

beforeAll(build, 120_000)

it('what was set is there after a kill, whole, and so is the order of what came after', async () => {
  const path = freshPath()
  for (let round = 0; round < 5; round++) {
    const writer = await startProcess()
    // Two keys in one call: both are there, or neither.
    const writing = writer.run(
      `const store = open({ path: args })
       const made = (value) => createEntry({ value, createdAt: Date.now(), ttl: 3600000 })
       for (let i = 1; ; i++) {
         await store.batch.setMany([['left', made([i, 'x'.repeat(i % 5000)])], ['right', made([i, 'x'.repeat(i % 5000)])]])
         if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
       }`,
      path,
    )
    writing.catch(() => undefined)
    const store = libsqlStore({ path })
    const leftOf = () => (store.get('left') as { value: [number, string] } | undefined)?.value[0] ?? 0
    const before = leftOf()
    while (leftOf() <= before + 20) await sleep(1)
    const seen = leftOf()
    writer.kill('SIGKILL')
    await writer.ended
    void store.close()

    const again = libsqlStore({ path })
    const [left, right] = ['left', 'right'].map(
      (key) => (again.get(key) as { value: [number, string] }).value,
    )
    expect(left![0]).toBeGreaterThanOrEqual(seen)
    expect(left).toEqual(right)
    expect(left![1]).toHaveLength(left![0] % 5_000)
    void again.delete('left')
    void again.delete('right')
    void again.close()
  }
}, 60_000)

it('a lease of a process that was killed ends with its term, and nobody is locked out', async () => {
  const path = freshPath()
  const clock = fakeClock()
  const holder = await startProcess()
  await expect(holder.store(path, clock).leases!.acquire('a', 'one', 1_000)).resolves.toMatchObject({
    status: 'leased',
  })
  holder.kill('SIGKILL')
  await holder.ended
  const store = libsqlStore({ path, clock })
  expect(store.leases!.acquire('a', 'two', 1_000)).toMatchObject({ status: 'taken' })
  await clock.advance(1_000)
  expect(store.leases!.acquire('a', 'two', 1_000)).toMatchObject({ status: 'leased' })
  void store.close()
})

it('behind memory, a cache is warm after a restart, tags and all', async () => {
  const path = freshPath()
  let loads = 0
  const start = () => new MultiLevelCache({ tiers: [memoryStore(), libsqlStore({ path })], ttl: '1h' })
  const load = (key: string) => () => `${key} of load ${++loads}`

  const first = start()
  for (const key of ['a', 'b', 'c'])
    await first.getOrSet(key, load(key), { tags: [key === 'c' ? 'other' : 'some'] })
  await first.delete('b')
  await first.close()
  expect(loads).toBe(3)

  const second = start()
  expect(await second.getOrSet('a', load('a'), { tags: ['some'] })).toBe('a of load 1')
  expect(await second.getOrSet('b', load('b'), { tags: ['some'] })).toBe('b of load 4')
  await second.invalidateTags(['other'])
  await second.close()

  const third = start()
  expect(await third.getOrSet('c', load('c'), { tags: ['other'] })).toBe('c of load 5')
  expect(await third.get('a')).toBe('a of load 1')
  await third.close()
  expect(loads).toBe(5)
})

it('two processes behind memory agree: one load, and news of a change at once', async () => {
  const path = freshPath()
  const caches = [0, 1].map(
    () => new MultiLevelCache({ tiers: [memoryStore(), libsqlStore({ path, pollInterval: 5 })], ttl: '1h' }),
  )
  let loads = 0
  const load = async () => {
    loads++
    await sleep(20)
    return loads
  }
  const values = await Promise.all(caches.map((cache) => cache.getOrSet('a', load)))
  expect([values, loads]).toEqual([[1, 1], 1])
  await caches[0]!.set('a', 2)
  // Until the other one has heard of it, it may answer from its memory.
  const since = performance.now()
  while ((await caches[1]!.get('a')) !== 2) {
    expect(performance.now() - since).toBeLessThan(5_000)
    await sleep(1)
  }
  for (const cache of caches) await cache.close()
})

it('a row that was damaged is a miss and an event, and the next load mends it', async () => {
  const path = freshPath()
  const cache = createCache({ store: libsqlStore({ path }), ttl: '1h' })
  await cache.set('a', 'right')
  const file = new Database(path)
  const { bytes } = file.prepare('SELECT bytes FROM entries').get([]) as { bytes: Uint8Array }
  const damaged = Uint8Array.from(bytes)
  damaged[damaged.length - 2]! ^= 1
  file.prepare('UPDATE entries SET bytes = ?').run([damaged])
  file.close()
  const events: string[] = []
  cache.on('poisoned', ({ key }) => events.push(key))
  expect(await cache.get('a')).toBeUndefined()
  expect(await cache.getOrSet('a', () => 'loaded')).toBe('loaded')
  expect(await cache.get('a')).toBe('loaded')
  expect(events).toContain('a')
  await cache.close()
})

it('a file that fails under a cache costs its values and no answers', async () => {
  const path = freshPath()
  const store = libsqlStore({ path })
  for (let i = 0; i < 300; i++) {
    void store.set(`k${i}`, createEntry({ value: 'x'.repeat(1_000), createdAt: Date.now(), ttl: 3_600_000 }))
  }
  void store.close()
  writeFileSync(path, Buffer.alloc(300_000, 0x5a), { flag: 'r+', flush: true })
  expect(() => libsqlStore({ path })).toThrow(expect.objectContaining({ code: 'ERR_STORE' }) as Error)
})
