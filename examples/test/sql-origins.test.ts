import { createCache } from '@flow-cache/core'
import { fakeClock, gate } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { startPostgres } from '@flow-cache/servers'
import { ReadThrough, WriteBehindCache, WriteThroughCache } from '@flow-cache/strategies'
import Database from 'libsql'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libsqlOrigin, type SqlOrigin } from '../src/libsql-origin.js'
import { postgresOrigin } from '../src/postgres-origin.js'

type Thing = Readonly<Record<string, unknown>> | null

interface Place {
  readonly origin: SqlOrigin<Thing>
  close(): Promise<void>
}

const places: Record<string, () => Promise<Place>> = {
  async libsql() {
    const database = new Database(':memory:')
    return {
      origin: libsqlOrigin(database),
      async close() {
        database.close()
      },
    }
  },
  async PostgreSQL() {
    const server = await startPostgres()
    const pool = new pg.Pool({ connectionString: server.url, max: 4 })
    return {
      origin: await postgresOrigin(pool),
      async close() {
        await pool.end()
        await server.stop()
      },
    }
  },
}

describe.each(Object.entries(places))('an origin in %s', (_, open) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  }, 180_000)
  afterAll(async () => place.close())

  it('gives back what was written, one by one and many at once', async () => {
    const { origin } = place
    await origin.write('a', { name: "O'Hara", tags: ['x', null] }, {})
    await origin.writeMany(
      [
        ['b', { n: 1.5 }],
        ['c', null],
      ],
      {},
    )
    expect(await origin.read('a', {})).toEqual({ name: "O'Hara", tags: ['x', null] })
    expect(await origin.read('c', {})).toBeNull()
    expect(await origin.read('nothing', {})).toBeUndefined()
    const read = await origin.readMany(['a', 'b', 'nothing'], {})
    expect([...read.keys()].toSorted()).toEqual(['a', 'b'])
    await origin.delete('a', {})
    await origin.delete('never there', {})
    expect(await origin.read('a', {})).toBeUndefined()
  })

  it('takes no number twice, and none that comes late', async () => {
    const { origin } = place
    await origin.write('n', { at: 2 }, { sequence: 2 })
    await origin.write('n', { at: 1 }, { sequence: 1 })
    await origin.write('n', { at: 'twice' }, { sequence: 2 })
    expect(await origin.read('n', {})).toEqual({ at: 2 })
    await origin.delete('n', { sequence: 3 })
    await origin.writeMany(
      [
        ['n', { at: 1 }],
        ['m', { at: 1 }],
      ],
      { sequences: [1, 1] },
    )
    expect([await origin.read('n', {}), await origin.read('m', {})]).toEqual([undefined, { at: 1 }])
    await origin.write('n', { at: 'now' }, {})
    await origin.write('n', { at: 3 }, { sequence: 3 })
    expect(await origin.read('n', {})).toEqual({ at: 'now' })
  })

  it('serves the strategies', async () => {
    const { origin } = place
    await using cache = createCache({ store: memoryStore() })
    const things = new WriteThroughCache({ cache, origin })
    const reads = new ReadThrough({ cache, origin })
    await things.setMany({ x: { n: 1 }, y: { n: 1 } })
    await Promise.all([things.set('x', { n: 2 }), things.set('x', { n: 3 })])
    expect([...(await reads.getMany(['x', 'y', 'z']))]).toEqual([
      ['x', { n: 3 }],
      ['y', { n: 1 }],
    ])
    expect(await origin.read('x', {})).toEqual({ n: 3 })
    await things.delete('x')
    expect(await reads.get('x')).toBeUndefined()
  })

  it('ends with the last of each that write-behind brings, also when a call that was given up comes late', async () => {
    const { origin } = place
    const clock = fakeClock()
    await using cache = createCache({ store: memoryStore({ clock }), clock })
    const late = gate()
    let batches = 0
    let arrived: Promise<void> | undefined
    const behind = new WriteBehindCache<Thing>({
      cache,
      clock,
      origin: {
        ...origin,
        async writeMany(entries, call) {
          if (++batches > 1) return origin.writeMany(entries, call)
          // It pays no attention to its signal.
          arrived = late.wait().then(() => origin.writeMany(entries, call))
          return arrived
        },
      },
    })
    const keys = ['p', 'q', 'r']
    for (const key of keys) await behind.set(key, { n: 1 })
    const first = behind.flush()
    await late.arrived
    await clock.advance(10_000)
    await first

    for (const key of keys) for (const n of [2, 3]) await behind.set(key, { n })
    await behind.delete('r')
    expect(await behind.flush()).toMatchObject({ pending: 0, dead: 0 })
    const last = new Map([
      ['p', { n: 3 }],
      ['q', { n: 3 }],
    ])
    expect(await origin.readMany(keys, {})).toEqual(last)
    late.open()
    await arrived
    expect(await origin.readMany(keys, {})).toEqual(last)
    const stats = await behind.stats()
    expect(stats).toMatchObject({ accepted: 10, pending: 0, deadLettered: 0 })
    expect(stats.applied + stats.coalesced).toBe(10)
    await behind.close()
  })
})
