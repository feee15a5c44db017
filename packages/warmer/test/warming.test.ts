import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { InMemoryCache } from '@flow-cache/memory'
import { redisUrl } from '@flow-cache/servers/vitest'
import { CacheWarmer } from '@flow-cache/warmer'
import Database from 'libsql'
import { beforeAll, expect, it, vi } from 'vitest'
import { build, dist, startWarming } from './warming-process.js'

beforeAll(build, 120_000)

let prefixes = 0
const newPrefix = (): string => `warming ${process.pid} ${prefixes++}:`

it('brings a table of a database into memory', async () => {
  const database = new Database(':memory:')
  database.exec('CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT)')
  const insert = database.prepare('INSERT INTO users VALUES (?, ?)')
  database.transaction(() => {
    for (let i = 0; i < 5_000; i++) insert.run(`u${i}`, `name ${i}`)
  })()
  const select = database.prepare('SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each(?))')
  let queries = 0
  await using cache = new InMemoryCache({ maxEntries: 10_000, ttl: '1h' })
  await using warmer = new CacheWarmer({
    cache,
    batch: 500,
    loadMany: (keys) => {
      queries++
      const rows = select.all(JSON.stringify(keys)) as { id: string; name: string }[]
      return new Map(rows.map(({ id, name }) => [id, name]))
    },
  })
  function* ids() {
    for (const row of database.prepare('SELECT id FROM users ORDER BY id').iterate())
      yield (row as { id: string }).id
    yield 'nobody'
  }
  expect(await warmer.warm(ids())).toMatchObject({ loaded: 5_000, absent: 1, failed: 0 })
  expect(queries).toBe(11)
  expect(await cache.get('u4999')).toBe('name 4999')
  database.close()
})

it('two processes that warm together load each key once', async () => {
  const [url, prefix] = [redisUrl(), newPrefix()]
  const both = await Promise.all([1, 2].map(() => startWarming(url, prefix, { count: 400, ms: 20 })))
  const reports = await Promise.all(both.map(({ report }) => report))
  const asked = both.flatMap((one) => one.asked)
  expect(asked).toHaveLength(400)
  expect(new Set(asked).size).toBe(400)
  expect(reports.reduce((sum, { loaded }) => sum + loaded!, 0)).toBe(400)
  for (const report of reports) expect(report).toMatchObject({ done: 400, failed: 0 })
}, 120_000)

it('a process that was killed and begins again does not load what is there', async () => {
  const [url, prefix] = [redisUrl(), newPrefix()]
  const first = await startWarming(url, prefix, { count: 600, ms: 50 })
  await vi.waitFor(() => expect(first.asked.length).toBeGreaterThanOrEqual(200), {
    timeout: 60_000,
    interval: 5,
  })
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const begun = new Set(first.asked)
  const again = await startWarming(url, prefix, { count: 600, ms: 0 })
  const report = await again.report
  expect(report).toMatchObject({ done: 600, failed: 0 })
  // The batches that were under way when it was killed are loaded again: two of twenty keys.
  const twice = again.asked.filter((key) => begun.has(key))
  expect(twice.length).toBeLessThanOrEqual(40)
  expect(again.asked.length).toBe(600 - begun.size + twice.length)
}, 120_000)

it('a process with schedules that nobody stopped ends by itself', () => {
  const program = `
    import { CacheWarmer } from '${dist('warmer')}'
    import { createCache } from '${dist('core')}'
    const nothing = { get() {}, set() {}, delete: () => false, clear() {}, close() {} }
    const warmer = new CacheWarmer({ cache: createCache({ store: nothing }), load: () => 1 })
    console.log([warmer.schedule('10m', []), warmer.schedule('0 4 * * *', [])].every(({ next }) => next > new Date()))`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
    encoding: 'utf8',
  })
  expect(run).toMatchObject({ signal: null, status: 0, stderr: '', stdout: 'true\n' })
})
