import { type Cache, createCache, type Store } from '@flow-cache/core'
import { fakeClock, faultyStore, mapStore } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import {
  CacheAside,
  ReadThrough,
  RefreshAhead,
  SmartCache,
  WriteAround,
  WriteThroughCache,
} from '@flow-cache/strategies'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { table } from './table.js'

const key = fc.constantFrom('a', 'b', 'c', '__proto__', '@x')
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setMany' as const), keys: fc.uniqueArray(key) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      fault: fc.constantFrom('reject', 'throw', 'none', 'none'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('origin' as const), ill: fc.boolean() }) },
)

interface Writer {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<void>
  delete(key: string): Promise<unknown>
  setMany(entries: readonly (readonly [string, string])[]): Promise<void>
}

const stores: Record<string, (clock: ReturnType<typeof fakeClock>) => Store> = {
  mapStore,
  memoryStore: (clock) => memoryStore({ clock }),
}

const strategies: Record<string, (cache: Cache, origin: ReturnType<typeof table>) => Writer> = {
  "WriteThroughCache 'load'": (cache, origin) => new WriteThroughCache({ cache, origin }),
  "WriteThroughCache 'set'": (cache, origin) => new WriteThroughCache({ cache, origin, afterWrite: 'set' }),
  WriteAround: (cache, origin) => new WriteAround({ cache, origin }),
  'CacheAside, writing by oneself': (cache, origin) =>
    aside(cache, origin, new CacheAside({ cache, origin })),
  'ReadThrough, writing by oneself': (cache, origin) =>
    aside(cache, origin, new ReadThrough({ cache, origin })),
  'RefreshAhead, writing by oneself': (cache, origin) => {
    const { ahead } = { ahead: new RefreshAhead({ cache, origin, clock: clocks.get(cache)! }) }
    return aside(cache, origin, ahead)
  },
}
const clocks = new WeakMap<Cache, ReturnType<typeof fakeClock>>()

/** Writes to the origin, then deletes, as one is told to. */
function aside(
  cache: Cache,
  origin: ReturnType<typeof table>,
  reader: Pick<Writer, 'get' | 'delete'>,
): Writer {
  return {
    get: (key) => reader.get(key),
    async set(key, value) {
      await origin.write(key, value, {})
      await reader.delete(key)
    },
    async delete(key) {
      await origin.delete(key, {})
      await reader.delete(key)
    },
    async setMany(entries) {
      try {
        await origin.writeMany(entries, {})
      } finally {
        await cache.deleteMany(entries.map(([key]) => key))
      }
    },
  }
}

describe.each(Object.entries(strategies))('%s answers as a plain table would', (_, make) => {
  it.each(Object.entries(stores))('over a %s that fails, with an origin that fails', async (_, store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const clock = fakeClock()
        const faulty = faultyStore(store(clock))
        const cache = createCache({ store: faulty, clock, ttl: 5_000 })
        clocks.set(cache, clock)
        const origin = table()
        let ill = false
        origin.before = () => {
          if (ill) throw new Error('the origin is ill')
        }
        const strategy = make(cache, origin)
        const model = new Map<string, string>()
        let count = 0
        /** Whether the origin took it. Its error is the only one there may be. */
        const taken = async (work: Promise<unknown>): Promise<boolean> =>
          work.then(
            () => true,
            (error: Error) => {
              expect([error.message, ill]).toEqual(['the origin is ill', true])
              return false
            },
          )
        for (const act of operations) {
          if (act.kind === 'get') {
            let value: string | undefined
            const read = async () => void (value = await strategy.get(act.key))
            if (await taken(read())) expect(value).toBe(model.get(act.key))
          } else if (act.kind === 'set') {
            const value = String(++count)
            if (await taken(strategy.set(act.key, value))) model.set(act.key, value)
          } else if (act.kind === 'delete') {
            if (await taken(strategy.delete(act.key))) model.delete(act.key)
          } else if (act.kind === 'setMany') {
            const entries = act.keys.map((key) => [key, String(++count)] as const)
            if (await taken(strategy.setMany(entries)))
              for (const [key, value] of entries) model.set(key, value)
          } else if (act.kind === 'wait') await clock.advance(act.ms)
          else if (act.kind === 'store') faulty.fail(act.fault)
          else ({ ill } = act)
          expect(Object.fromEntries(origin.rows)).toEqual(Object.fromEntries(model))
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('SmartCache answers as a plain graph would', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const name = fc.constantFrom(...names)
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('set', 'load'),
        key: name,
        dependsOn: fc.uniqueArray(name, { maxLength: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('invalidate'), key: name, dependsOn: fc.constant([]) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('delete', 'lose'),
        key: name,
        dependsOn: fc.constant([]),
      }),
    },
  )

  it.each([true, false])('for any graph, with an index that is lost at times: %s', async (loses) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = fakeClock()
        const cache = createCache({ store: mapStore(clock), clock, ttl: '1h' })
        const smart = new SmartCache({ cache })
        /** What is to be there at most, and what it was made from. */
        const values = new Map<string, number>()
        const edges = new Map<string, readonly string[]>()
        /** What the index lost and only the entries know, for as long as they are there. */
        const unlisted = new Set<string>()
        const below = (root: string): Set<string> => {
          const found = new Set<string>()
          const visit = (name: string): void => {
            for (const [key, parents] of edges) {
              if (!parents.includes(name) || found.has(key)) continue
              found.add(key)
              visit(key)
            }
          }
          visit(root)
          return found
        }
        let count = 0
        for (const { kind, key, dependsOn } of steps) {
          if (kind === 'set' || kind === 'load') {
            const value = ++count
            if (kind === 'set') await smart.set(key, value, { dependsOn })
            else await smart.getOrSet(key, () => value, { dependsOn, forceRefresh: true })
            values.set(key, value)
            edges.set(key, dependsOn)
            unlisted.delete(key)
          } else if (kind === 'delete') {
            await smart.delete(key)
            values.delete(key)
          } else if (kind === 'lose') {
            if (loses) {
              await cache.namespace('dependencies').clear()
              for (const name of names) unlisted.add(name)
            }
          } else {
            const there = new Set<string>()
            for (const name of names) if ((await cache.explain(name)).state === 'fresh') there.add(name)
            const ends = [...below(key), key]
            const took = await smart.invalidate(key)
            expect(new Set(took).size).toBe(took.length)
            for (const name of took) expect(there.has(name), name).toBe(true)
            if (!loses) expect(took).toEqual(expect.arrayContaining(ends.filter((name) => there.has(name))))
            for (const name of ends) {
              expect(await smart.get(name), `${name} after ${key}`).toBeUndefined()
              values.delete(name)
            }
          }
          for (const name of unlisted) {
            if ((await cache.explain(name)).state !== 'fresh') edges.delete(name)
          }
          for (const name of names) {
            const value = await smart.get<number>(name)
            if (value !== undefined) expect(value).toBe(values.get(name))
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
