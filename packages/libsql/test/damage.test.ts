import { readFileSync, writeFileSync } from 'node:fs'
import { type Change, createCache, createEntry } from '@flow-cache/core'
import { fakeClock, seededRandom } from '@flow-cache/core/testing'
import { libsqlStore } from '@flow-cache/libsql'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshPath } from './files.js'
import { build, startProcess, type StoreProcess } from './store-process.js'

/** How many keys the file has, a third of them with a tag, and some of them set twice. */
const count = 300
const valueOf = (i: number) => ({ i, text: 'x'.repeat((i % 50) * 5) })

async function fileWithAll(): Promise<string> {
  const path = freshPath()
  const cache = createCache({ store: libsqlStore({ path }), ttl: '1h' })
  for (let i = 0; i < count; i++) {
    if (i % 7 === 0) await cache.set(`k${i}`, 'older')
    await cache.set(`k${i}`, valueOf(i), i % 3 === 0 ? { tags: [`t${i % 9}`] } : {})
  }
  await cache.delete('k299')
  await cache.close()
  return path
}

/** What a process does with the file at `args.path`; a list of what it must not have seen. */
const use = `
  const wrong = []
  let cache
  try {
    cache = createCache({ store: open({ path: args.path }), ttl: '1h' })
  } catch (error) {
    return error.code === 'ERR_STORE' ? [] : ['opening: ' + error]
  }
  const attempt = async (what, call) => {
    try { return await call() } catch (error) {
      if (error.name !== 'CacheError') wrong.push(what + ': ' + error.name + ' ' + error.message)
    }
  }
  const right = (i) => JSON.stringify({ i, text: 'x'.repeat(i % 50 * 5) })
  const check = (what, i, value, others = []) => {
    const text = JSON.stringify(value)
    if (value !== undefined && text !== right(i) && !others.includes(text)) wrong.push(what + ' k' + i + ': ' + text.slice(0, 50))
  }
  const all = Array.from({ length: args.count - 1 }, (_, i) => i)
  for (const i of all) check('get', i, await attempt('get', () => cache.get('k' + i)))
  if (await attempt('get', () => cache.get('k299')) !== undefined) wrong.push('what was deleted is back')
  const many = await attempt('getMany', () => cache.getMany(all.map((i) => 'k' + i)))
  for (const i of all) check('getMany', i, many?.get('k' + i))
  await attempt('keys', async () => { for await (const key of cache.keys()) if (!/^k\\d+$/.test(key)) wrong.push('a key ' + key) })
  for (const i of [0, 3, 77, 120, 299]) {
    const loaded = await attempt('getOrSet', () => cache.getOrSet('k' + i, () => 'loaded', { tags: ['t' + i % 9] }))
    check('getOrSet', i, loaded, ['"loaded"'])
    if (loaded === undefined) wrong.push('no load of k' + i)
  }
  // What changes in a damaged file may be undone by it, and is never of another key.
  const again = async (what) => {
    for (const i of all) check(what, i, await attempt(what, () => cache.get('k' + i)), ['"loaded"', '"new"'])
  }
  await attempt('invalidateTags', () => cache.invalidateTags(['t0']))
  await again('after invalidateTags')
  for (const i of all) if (i % 5 === 0) await attempt('set', () => cache.set('k' + i, 'new'))
  await again('after set')
  for (const i of all) if (i % 4 === 0) await attempt('delete', () => cache.delete('k' + i))
  await attempt('clearPattern', () => cache.clearPattern('k1*'))
  await attempt('clear', () => cache.clear())
  await again('after clear')
  await attempt('close', () => cache.close())
  return wrong
`

let user: StoreProcess | undefined
beforeAll(build, 120_000)
afterAll(() => user?.kill('SIGKILL'))

/** What a process that uses the file must not have seen. An error if it did not survive it. */
async function seenIn(path: string): Promise<unknown> {
  user ??= await startProcess()
  try {
    return await user.run(use, { path, count })
  } catch (error) {
    user = undefined
    throw error
  }
}

it('an undamaged file is used without a word', async () => {
  expect(await seenIn(await fileWithAll())).toEqual([])
})

describe('a text that is no UTF-8 ends no process, where it stands in', () => {
  it.each([
    'entries.key',
    'entries.expires_at',
    'entries.bytes',
    'tags.name',
    'tags.version',
    'tags.used_at',
    'leases.token',
    'leases.ends_at',
    'changes.writer',
    'changes.kind',
    'changes.name',
    'changes.version',
    'state.name',
    'state.value',
  ])('%s', async (place) => {
    const path = await fileWithAll()
    const [table, column] = place.split('.')
    const loose = new Database(path)
    loose.exec(
      `INSERT INTO leases VALUES (x'6100', 'a token', 1e15); PRAGMA writable_schema = ON;
       UPDATE sqlite_schema SET sql = replace(replace(sql, ' STRICT,', ''), ' STRICT', '')`,
    )
    loose.close()
    const file = new Database(path)
    const texts = `CAST(x'6bff' || CAST(abs(random()) AS TEXT) AS TEXT)`
    file.exec(`UPDATE ${table} SET ${column} = ${texts}`)
    file.close()
    expect(await seenIn(path)).toEqual([])
  })
})

it('whatever bytes are damaged, the process lives, and each answer is right or a miss', async () => {
  const path = await fileWithAll()
  const whole = readFileSync(path)
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed)
    const bytes = Buffer.from(whole)
    const below = (most: number) => Math.floor(random() * most)
    for (let left = 1 + below(20); left > 0; left--) {
      // A third of them where a page says what is in it, and a third in what was written into it first.
      const page = below(bytes.length / 4_096) * 4_096
      const within = [below(4_096), below(100), 4_095 - below(400)][below(3)]!
      bytes[page + within] = random() < 0.5 ? below(256) : 0x80 + below(128)
    }
    const copy = freshPath()
    writeFileSync(copy, bytes)
    const seen = await seenIn(copy).catch((error: unknown) => [String(error)])
    expect(seen, `seed ${seed}`).toEqual([])
  }
}, 120_000)

it('the keys of a damaged page are misses that load, and the others are hits: the circuit stays closed', async () => {
  const path = await fileWithAll()
  // Where an entry's own page begins with nonsense, none of those on it can be read.
  const bytes = readFileSync(path)
  const page = Math.floor(bytes.indexOf('x'.repeat(200)) / 4_096)
  bytes.fill(0x5a, page * 4_096, page * 4_096 + 100)
  writeFileSync(path, bytes)
  const cache = createCache({ store: libsqlStore({ path }), ttl: '1h' })
  const circuit: string[] = []
  const poisoned = new Set<string>()
  cache.on('circuit', ({ state }) => circuit.push(state))
  cache.on('poisoned', ({ key }) => poisoned.add(key))
  const keys = Array.from({ length: count - 1 }, (_, i) => `k${i}`)
  for (const key of keys) {
    const value = await cache.get(key)
    if (value !== undefined) expect(value).toEqual(valueOf(Number(key.slice(1))))
    expect(value === undefined).toBe(poisoned.has(key))
  }
  expect(poisoned.size).toBeGreaterThan(3)
  expect(poisoned.size).toBeLessThan(count / 2)
  expect((await cache.getMany(keys)).size).toBe(keys.length - poisoned.size)
  for (const key of poisoned) expect(await cache.getOrSet(key, () => 'loaded')).toBe('loaded')
  expect(circuit).toEqual([])
  await cache.close()
})

it('what cannot be listed is an ERR_STORE', async () => {
  const path = await fileWithAll()
  const bytes = readFileSync(path)
  // The index of the keys, where it names them in a row.
  const page = Math.floor(bytes.indexOf(Buffer.from('k100', 'utf16le')) / 4_096)
  const cache = createCache({ store: libsqlStore({ path }), ttl: '1h' })
  bytes.fill(0x5a, page * 4_096, page * 4_096 + 100)
  writeFileSync(path, bytes)
  const list = async () => {
    for await (const _ of cache.keys());
  }
  await expect(list()).rejects.toMatchObject({ name: 'CacheError', code: 'ERR_STORE' })
  await cache.close()
})

it('a change that nobody understands is one that may be of anything', async () => {
  const path = freshPath()
  const clock = fakeClock()
  const store = libsqlStore({ path, clock, pollInterval: 10 })
  const seen: (Change | string)[] = []
  const stop = store.log!.follow({
    changed: (change) => seen.push(change),
    lost: () => seen.push('lost'),
    failed: (error) => seen.push((error as { code: string }).code),
  })
  const other = libsqlStore({ path, clock })
  const file = new Database(path)
  const changed = async (statement: string) => {
    file.exec(statement)
    await clock.advance(10)
    return seen.splice(0)
  }
  void other.set('a', createEntry({ value: 1, createdAt: clock.now(), ttl: 1_000 }))
  await clock.advance(10)
  expect(seen.splice(0)).toEqual([{ kind: 'key', key: 'a' }])
  const append = 'INSERT INTO changes (writer, kind, name, version) VALUES'
  expect(await changed(`${append} ('me', 'kind', x'6100', NULL)`)).toEqual(['lost'])
  expect(await changed(`${append} ('me', 'key', x'61', NULL)`)).toEqual(['lost'])
  expect(await changed(`${append} ('me', 'clear', x'6100', NULL)`)).toEqual([{ kind: 'clear', prefix: 'a' }])
  stop()
  file.close()
  void store.close()
  void other.close()
})
