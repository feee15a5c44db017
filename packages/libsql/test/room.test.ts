import { statSync } from 'node:fs'
import { createEntry } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { libsqlStore } from '@flow-cache/libsql'
import Database from 'libsql'
import { expect, it } from 'vitest'
import { freshPath } from './files.js'

const text = 'x'.repeat(1_000)
const mebibyte = 1_048_576

function opened({ maxBytes = mebibyte, logLength = 100 } = {}) {
  const path = freshPath()
  const clock = fakeClock()
  const store = libsqlStore({ path, clock, maxBytes, logLength })
  const set = (key: string, value: unknown = text, ttl = 3_600_000) =>
    void store.set(key, createEntry({ value, createdAt: clock.now(), ttl }))
  const isThere = (key: string) => store.get(key) !== undefined
  return { path, clock, store, set, isThere }
}

it('the file does not grow beyond its bound, and what was written longest ago goes first', () => {
  const { path, store, set, isThere } = opened()
  const evicted: string[] = []
  store.evictions!.follow((key) => evicted.push(key))
  for (let i = 0; i < 5_000; i++) set(`k${i}`)
  void store.close()
  // A page or two are taken while one entry is written and others go.
  expect(statSync(path).size).toBeLessThan(mebibyte * 1.1)
  expect(evicted.length).toBeGreaterThan(3_000)
  expect(evicted).toEqual(Array.from(evicted, (_, i) => `k${i}`))
  expect(isThere).toThrow('closed')
})

it('what was read since gets another round', () => {
  const { store, set, isThere } = opened()
  set('used')
  set('unused')
  for (let i = 0; i < 3_000; i++) {
    set(`k${i}`)
    if (i % 100 === 0) expect(isThere('used')).toBe(true)
  }
  expect([isThere('used'), isThere('unused'), isThere('k2999')]).toEqual([true, false, true])
  void store.close()
})

it('a large entry takes the room of small ones, and one of more than half the bound is not kept and ends the one before', () => {
  const { store, set, isThere } = opened()
  for (let i = 0; i < 900; i++) set(`k${i}`)
  set('large', 'x'.repeat(400_000))
  expect([isThere('large'), isThere('k0'), isThere('k899')]).toEqual([true, false, true])
  set('large', 'x'.repeat(600_000))
  expect(isThere('large')).toBe(false)
  void store.close()
})

it('who is told of an eviction may use the store', () => {
  const { store, set, isThere } = opened()
  const back: boolean[] = []
  store.evictions!.follow((key) => {
    back.push(isThere(key))
    if (back.length < 20) set(`again:${key}`)
  })
  for (let i = 0; i < 1_500; i++) set(`k${i}`)
  expect(back).toContain(false)
  expect(back).not.toContain(true)
  void store.close()
})

it('what has expired goes behind, a slice at a time, and no timer is left', async () => {
  const { path, clock, store, set } = opened()
  const file = new Database(path)
  const count = () => (file.prepare('SELECT count(*) AS n FROM entries').get([]) as { n: number }).n
  for (let i = 0; i < 500; i++) set(`short${i}`, 1, 1_000)
  set('long', 1, 3_600_000)
  await clock.advance(29_000)
  expect(count()).toBe(501)
  await clock.advance(1_000)
  expect(count()).toBe(301)
  await clock.advance(10)
  expect(count()).toBe(1)
  file.close()
  void store.close()
  expect(clock.pending).toBe(0)
})

it('nothing that cannot end keeps a timer', () => {
  const { clock, store, set } = opened()
  expect(clock.pending).toBe(0)
  set('ever', 1, Infinity)
  expect(clock.pending).toBe(0)
  set('long', 1, 1_000)
  expect(clock.pending).toBe(1)
  void store.close()
  expect(clock.pending).toBe(0)
})

it('the list of changes is bounded, and who was away for longer is told that something is lost', async () => {
  const { path, clock, store, set } = opened({ logLength: 100, maxBytes: 10 * mebibyte })
  const other = libsqlStore({ path, clock })
  const told: string[] = []
  const stop = other.log!.follow({
    changed: (change) => told.push(change.kind === 'key' ? change.key : change.kind),
    lost: () => told.push('lost'),
  })
  set('a')
  await clock.advance(20)
  expect(told).toEqual(['a'])
  for (let i = 0; i < 3_000; i++) set('b', 1)
  await clock.advance(20)
  expect(told[1]).toBe('lost')
  expect(told.length).toBeLessThan(2_000)
  stop()
  expect(clock.pending).toBe(1)
  void other.close()
  void store.close()
})

it('who writes much and hears little has lost nothing', async () => {
  const { path, clock, store, set } = opened({ logLength: 100, maxBytes: 10 * mebibyte })
  const other = libsqlStore({ path, clock })
  const told: string[] = []
  store.log!.follow({
    changed: (change) => told.push(change.kind === 'key' ? change.key : change.kind),
    lost: () => told.push('lost'),
  })
  for (let i = 0; i < 3_000; i++) set('own', 1)
  expect(() => store.set('own', createEntry({ value: () => 1, createdAt: clock.now(), ttl: 1 }))).toThrow(
    'function',
  )
  await other.delete('theirs')
  await clock.advance(20)
  expect(told).toEqual(['theirs'])
  void other.close()
  void store.close()
})

it('a tag that nobody used for long is forgotten, and no entry made under it counts any more', async () => {
  const { path, clock, store } = opened()
  const tags = store.tags!
  const [before] = await tags.versions(['x'])
  const position = await tags.position()
  await clock.advance(40 * 24 * 3_600_000)
  const file = new Database(path)
  expect(file.prepare('SELECT count(*) AS n FROM tags').get([])).toMatchObject({ n: 0 })
  file.close()
  const [after] = await tags.versions(['x'])
  expect(after).not.toBe(before)
  // Nobody invalidated anything since: a load that began then may keep what it has.
  expect(await tags.versions(['y'], position)).toEqual([expect.any(String)])
  void store.close()
})
