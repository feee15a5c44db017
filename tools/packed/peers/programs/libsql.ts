// A file that two caches share, closed and opened again: values, tags, one load, damage told apart from nothing.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LibsqlCache, libsqlStore } from '@flow-cache/libsql'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'

const folder = mkdtempSync(join(tmpdir(), 'peer-libsql-'))
const path = join(folder, 'cache.db')
const open = (): MultiLevelCache =>
  new MultiLevelCache({
    tiers: [memoryStore(), libsqlStore({ path })],
    ttl: '1m',
    timeouts: { store: '20s' },
    leaseTerm: '1m',
  })

const here = open()
const there = open()
let loads = 0
const load = async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  return ++loads
}
assert.deepEqual(await Promise.all([here, there].map((cache) => cache.getOrSet('key', load))), [1, 1])
await here.set('when', new Date(5), { tags: ['times'] })
await here.set('key', 2)
for (let tries = 0; (await there.get('key')) !== 2; tries++) {
  assert.ok(tries < 200, 'news of a change comes')
  await new Promise((resolve) => setTimeout(resolve, 10))
}
await here.close()
await there.close()

const later = new LibsqlCache({ path, ttl: '1m' })
assert.deepEqual(await later.get('when'), new Date(5))
await later.invalidateTags(['times'])
assert.equal(await later.get('when'), undefined)
assert.equal(await later.get('key'), 2)
await later.close()

const secret = new LibsqlCache({ path: join(folder, 'secret.db'), encryptionKey: 'secret' })
await secret.set('a', 1)
await secret.close()
for (const [file, text] of [
  ['secret.db', undefined],
  ['other.db', 'no database at all. '.repeat(100)],
] as const) {
  if (text !== undefined) writeFileSync(join(folder, file), text)
  assert.throws(() => libsqlStore({ path: join(folder, file) }), { code: 'ERR_STORE' })
}
rmSync(folder, { recursive: true, force: true })
