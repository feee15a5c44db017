import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { casesFor, type FakeClock, fakeClock, mapStore, runModel } from '@flow-cache/core/testing'
import { libsqlStore } from '@flow-cache/libsql'
import { afterAll, describe, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'libsql-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
const fresh = (): string => join(folder, `${count++}.db`)
const open = (path: string, clock: FakeClock) => libsqlStore({ path, clock })

describe('the store contract', () => {
  const sample = open(fresh(), fakeClock())
  void sample.close()
  for (const { name, run } of casesFor(sample)) {
    it(name, async () => {
      const clock = fakeClock()
      const path = fresh()
      const [store, other] = [open(path, clock), open(path, clock)]
      try {
        await run({ store, clock, other })
      } finally {
        await store.close()
        await other.close()
      }
    })
  }

  it.each([1, 2, 3])('it agrees with a map under random operations (seed %i)', async (seed) => {
    const clock = fakeClock()
    const store = open(fresh(), clock)
    try {
      await runModel({ store, reference: mapStore(clock), clock, seed })
    } finally {
      await store.close()
    }
  })
})
