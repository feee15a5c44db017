import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@flow-cache/core'
import { casesFor, type FakeClock, fakeClock, mapStore, runModel } from '@flow-cache/core/testing'
import { libsqlStore } from '@flow-cache/libsql'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { build, startProcess, type StoreProcess } from './store-process.js'

const folder = mkdtempSync(join(tmpdir(), 'libsql-'))
let elsewhere: StoreProcess
beforeAll(async () => {
  build()
  elsewhere = await startProcess()
}, 120_000)
afterAll(async () => {
  elsewhere.kill('SIGKILL')
  await elsewhere.ended
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
const fresh = (): string => join(folder, `${count++}.db`)
const open = (path: string, clock: FakeClock): Store => libsqlStore({ path, clock })

/** Where the second connection is, and where the first one is. */
const kinds: Readonly<Record<string, (path: string, clock: FakeClock) => readonly [Store, Store]>> = {
  'two connections of one process': (path, clock) => [open(path, clock), open(path, clock)],
  'two processes': (path, clock) => [open(path, clock), elsewhere.store(path, clock)],
}

describe.each(Object.entries(kinds))('the store contract, %s', (_, connect) => {
  const sample = libsqlStore({ path: ':memory:' })
  void sample.close()
  for (const { name, run } of casesFor(sample)) {
    it(name, async () => {
      const clock = fakeClock()
      const [store, other] = connect(fresh(), clock)
      try {
        await run({ store, clock, other })
      } finally {
        await store.close()
        await other.close()
      }
    })
  }
})

it.each([1, 2, 3])('it agrees with a map under random operations (seed %i)', async (seed) => {
  const clock = fakeClock()
  const store = open(fresh(), clock)
  try {
    await runModel({ store, reference: mapStore(clock), clock, seed })
  } finally {
    await store.close()
  }
})

it('so does one in memory', async () => {
  const clock = fakeClock()
  const store = open(':memory:', clock)
  await runModel({ store, reference: mapStore(clock), clock, seed: 4 })
  await store.close()
})
