import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createEntry } from '@flow-cache/core'
import { libsqlStore, type LibsqlStoreOptions } from '@flow-cache/libsql'
import Database from 'libsql'
import { beforeAll, describe, expect, it } from 'vitest'
import { freshPath } from './files.js'
import { build, startProcess } from './store-process.js'

const entry = (value: unknown) => createEntry({ value, createdAt: Date.now(), ttl: 3_600_000 })

function refusalOf(options: LibsqlStoreOptions): Error {
  try {
    void libsqlStore(options).close()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was opened')
}

describe('a file that is none of a cache is an ERR_STORE that says what it is:', () => {
  it.each<[string, (path: string) => void]>([
    ['is no database, is damaged', (path) => writeFileSync(path, 'not a database at all. '.repeat(100))],
    [
      'is a database of something else',
      (path) => {
        const theirs = new Database(path)
        theirs.exec('CREATE TABLE customers (id INTEGER)')
        theirs.close()
      },
    ],
    ['cannot be opened', (path) => mkdirSync(path)],
    [
      'was written by a newer version',
      (path) => {
        void libsqlStore({ path }).close()
        const file = new Database(path)
        file.pragma('user_version = 99')
        file.close()
      },
    ],
    [
      'cannot be opened as a cache',
      (path) => {
        const store = libsqlStore({ path })
        for (let i = 0; i < 100; i++) void store.set(`k${i}`, entry('x'.repeat(1_000)))
        void store.close()
        // The pages with the tables' names stay, and those with their roots are gone.
        truncateSync(path, 4_096)
      },
    ],
  ])('%s', (message, make) => {
    const path = freshPath()
    make(path)
    const error = refusalOf({ path })
    expect(error).toMatchObject({
      name: 'CacheError',
      code: 'ERR_STORE',
      cause: expect.anything() as unknown,
    })
    expect(error.message).toContain(`path: '${path}' `)
    expect(error.message).toContain(message)
  })

  it('its folder cannot be made', () => {
    const path = freshPath()
    writeFileSync(path, 'a file')
    const error = refusalOf({ path: join(path, 'cache.db') })
    expect(error).toMatchObject({ code: 'ERR_STORE' })
    expect(refusalOf({ path: join(path, 'deeper', 'cache.db') }).message).toMatch(
      /its folder is not there and cannot be made: E(NOTDIR|EXIST)/,
    )
  })

  it('nothing in what belongs to somebody else was changed', () => {
    const path = freshPath()
    const theirs = new Database(path)
    theirs.exec('CREATE TABLE customers (id INTEGER)')
    theirs.close()
    const before = readFileSync(path)
    refusalOf({ path })
    expect(readFileSync(path)).toEqual(before)
  })
})

it('a folder that is not there is made with the file', () => {
  const path = join(dirname(freshPath()), 'some', 'where', 'cache.db')
  const store = libsqlStore({ path })
  void store.set('a', entry(1))
  void store.close()
  const again = libsqlStore({ path })
  expect(again.get('a')).toMatchObject({ value: 1 })
  void again.close()
})

it('an encrypted file opens with its key alone, and says nothing without', () => {
  const path = freshPath()
  const store = libsqlStore({ path, encryptionKey: 'secret' })
  void store.set('a', entry('a text nobody else may read'))
  void store.close()
  expect(readFileSync(path).includes('nobody else')).toBe(false)
  expect(refusalOf({ path }).message).toContain('encrypted with another key')
  expect(refusalOf({ path, encryptionKey: 'other' }).message).toContain('encrypted with another key')
  const again = libsqlStore({ path, encryptionKey: 'secret' })
  expect(again.get('a')).toMatchObject({ value: 'a text nobody else may read' })
  void again.close()
})

it('a file with an older layout begins anew', () => {
  const path = freshPath()
  const store = libsqlStore({ path })
  void store.set('a', entry(1))
  void store.close()
  const file = new Database(path)
  file.exec('CREATE TABLE left_over (id INTEGER); PRAGMA user_version = 0')
  file.close()
  const again = libsqlStore({ path })
  expect(again.get('a')).toBeUndefined()
  void again.set('a', entry(2))
  expect(again.get('a')).toMatchObject({ value: 2 })
  void again.close()
})

describe('a bad option names itself', () => {
  it.each<[string, unknown]>([
    ['path must be a string', {}],
    ['path must not be empty', { path: '' }],
    ['path must not contain a NUL', { path: 'a\0b' }],
    ["path must be a file's, and 'http:' begins an address", { path: 'http://127.0.0.1:1' }],
    ["and 'libsql:' begins", { path: 'libsql://127.0.0.1' }],
    ["and 'file:' begins an address; a file of that name is './file:", { path: 'file:x?mode=memory' }],
    ['takes an object', undefined],
    ["unknown option 'file'", { path: 'x', file: 'x' }],
    ['maxBytes must be a whole number of at least', { path: 'x', maxBytes: 1_000 }],
    ['maxBytes must be a number', { path: 'x', maxBytes: '1' }],
    ['logLength must be', { path: 'x', logLength: 0 }],
    ['sweepInterval must not be 0', { path: 'x', sweepInterval: 0 }],
    ['pollInterval', { path: 'x', pollInterval: -1 }],
    ['busyTimeout', { path: 'x', busyTimeout: 'soon' }],
    ['codec must have', { path: 'x', codec: {} }],
    ['clock must have now()', { path: 'x', clock: {} }],
    ['clock must have setTimer()', { path: 'x', clock: { now: () => 0 } }],
    ['clock must have clearTimer()', { path: 'x', clock: { now: () => 0, setTimer: () => 0 } }],
    ['encryptionKey must not be empty', { path: 'x', encryptionKey: '' }],
  ])('%s', (message, options) => {
    expect(() => libsqlStore(options as LibsqlStoreOptions)).toThrow(message)
  })
})

it('close lets the file go: what is opened next needs no other file beside it', () => {
  const path = freshPath()
  const store = libsqlStore({ path })
  void store.set('a', entry(1))
  void store.close()
  for (const call of [() => store.get('a'), () => store.set('a', entry(1)), () => store.clear()]) {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }) as Error)
  }
  // All of it stands in the file itself.
  const copy = freshPath()
  writeFileSync(copy, readFileSync(path))
  const again = libsqlStore({ path: copy })
  expect(again.get('a')).toMatchObject({ value: 1 })
  void again.close()
})

describe('what cannot be written', () => {
  beforeAll(build, 120_000)

  it('is an error where the disk is full, and what is there can be read', async () => {
    const path = freshPath()
    const shell = join(dirname(path), 'limited.sh')
    // No file may grow beyond some 300 kB, which SQLite is told as it would be of a full disk.
    writeFileSync(shell, `#!/bin/sh\nulimit -f 600\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 })
    const writer = await startProcess({ execPath: shell })
    const seen = await writer.run(
      `const store = open({ path: args })
       const made = (value) => createEntry({ value, createdAt: Date.now(), ttl: 3600000 })
       await store.set('a', made(1))
       const codes = new Set()
       for (let i = 0; i < 50; i++) {
         try { await store.set('k' + i, made('x'.repeat(50000))) } catch (error) { codes.add(error.code.slice(0, 12)) }
       }
       return [[...codes], (await store.get('a')).value >= 1]`,
      path,
    )
    expect(seen).toEqual([[expect.stringMatching(/^SQLITE_(FULL|IOERR)/)], true])
    writer.kill('SIGKILL')
    await writer.ended
    // Where there is room again, it goes on with what it has.
    const store = libsqlStore({ path })
    expect(store.get('a')).toMatchObject({ value: 1 })
    void store.set('a', entry(2))
    expect(store.get('a')).toMatchObject({ value: 2 })
    void store.close()
  })

  it('is an error where the file may only be read, and what is there can be read', async () => {
    const path = freshPath()
    const store = libsqlStore({ path })
    void store.set('a', entry(1))
    void store.close()
    chmodSync(dirname(path), 0o777)
    chmodSync(path, 0o444)
    // Nobody may write what belongs to somebody else, and root may write everything.
    const reader = await startProcess(process.getuid?.() === 0 ? { uid: 65_534 } : {})
    const seen = await reader.run(
      `const store = open({ path: args })
       const before = (await store.get('a')).value
       let code
       try { await store.set('a', createEntry({ value: 2, createdAt: Date.now(), ttl: 1000 })) } catch (error) { code = error.code }
       return [before, code, (await store.get('a')).value]`,
      path,
    )
    expect(seen).toEqual([1, 'SQLITE_READONLY', 1])
    reader.kill('SIGKILL')
    await reader.ended
  })
})
