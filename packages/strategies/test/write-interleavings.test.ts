import { createCache, type Store } from '@flow-cache/core'
import {
  distantStore,
  fakeClock,
  type FakeClock,
  mapStore,
  scheduler,
  type Scheduler,
  sharedServer,
} from '@flow-cache/core/testing'
import { WriteAround, WriteThroughCache } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'
import { table } from './table.js'

type Strategy = Pick<WriteAround<string>, 'get' | 'set' | 'delete'>
const keys = ['a', 'b']

/** Reads, writes and deletes at random, with an origin that is slow and sometimes fails. */
async function play(
  make: (origin: ReturnType<typeof table>) => readonly Strategy[],
  { step, random, run }: Scheduler,
  clock: FakeClock,
): Promise<string[]> {
  const origin = table()
  let ill = false
  origin.before = async (what) => {
    await step(`${what} reaches the origin`)
    if (ill && random() < 0.2) throw new Error('the origin is ill')
  }
  const effects = { ...origin }
  for (const name of ['read', 'write', 'delete'] as const) {
    const call = effects[name] as (...args: string[]) => Promise<unknown>
    origin[name] = (async (...args: string[]) => {
      const answer = await call(...args)
      await step(`${name} answers`)
      return answer
    }) as never
  }
  const strategies = make(origin)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  let count = 0
  const tolerant = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: Error) => expect(error.message).toBe('the origin is ill'))
  const acts = [
    () => pick(strategies).get(pick(keys)),
    () => pick(strategies).set(pick(keys), String(++count)),
    () => pick(strategies).set(pick(keys), String(++count)),
    () => pick(strategies).delete(pick(keys)),
  ]
  const tasks = Array.from({ length: 8 }, () => async () => {
    for (let i = 0; i < 2; i++) {
      await step('a task goes on')
      await tolerant(pick(acts)())
    }
  })
  const idle = (): Promise<void> => clock.advance(10)
  ill = true
  await run(tasks, idle)
  ill = false
  const violations: string[] = []
  const looks = strategies.flatMap((strategy, i) =>
    keys.map((key) => async () => {
      const value = await strategy.get(key)
      const truth = origin.rows.get(key)
      if (value !== truth) violations.push(`process ${i} has ${key} = ${value}, the origin ${truth}`)
    }),
  )
  await run(looks, idle)
  return violations
}

type Place = (clock: FakeClock, order: Scheduler) => readonly Store[]
const one: Place = (clock, order) => [distantStore(mapStore(clock), order)]
const two: Place = (clock, order) => {
  const server = sharedServer(clock, (call) => order.step(call))
  return [server.connect(), server.connect()]
}

const cases: readonly (readonly [string, Place, new (options: never) => Strategy, object])[] = [
  ['WriteThroughCache in one process', one, WriteThroughCache, {}],
  ['WriteThroughCache in two processes', two, WriteThroughCache, {}],
  ["WriteThroughCache with afterWrite 'set' in one process", one, WriteThroughCache, { afterWrite: 'set' }],
  ['WriteAround in one process', one, WriteAround, {}],
  ['WriteAround in two processes', two, WriteAround, {}],
]

describe('when all is done, nobody reads anything but what the origin has', () => {
  it.each(cases)(
    '%s, two hundred interleavings',
    { timeout: 120_000 },
    async (_, place, Strategy, options) => {
      for (let seed = 0; seed < 200; seed++) {
        const clock = fakeClock()
        const order = scheduler(seed)
        const caches = place(clock, order).map((store) =>
          createCache({
            store,
            clock,
            random: order.random,
            ttl: '1h',
            timeouts: { store: '1h', load: '2h' },
            leaseTerm: '2h',
          }),
        )
        const make = (origin: object) =>
          caches.map((cache) => new Strategy({ cache, origin, ...options } as never))
        expect(await play(make, order, clock), `seed ${seed}`).toEqual([])
      }
    },
  )

  it('which two processes with afterWrite set do not promise', { timeout: 120_000 }, async () => {
    let wrong = 0
    for (let seed = 0; seed < 200; seed++) {
      const clock = fakeClock()
      const order = scheduler(seed)
      const caches = two(clock, order).map((store) =>
        createCache({
          store,
          clock,
          random: order.random,
          timeouts: { store: '1h', load: '2h' },
          leaseTerm: '2h',
        }),
      )
      const make = (origin: ReturnType<typeof table>) =>
        caches.map((cache) => new WriteThroughCache({ cache, origin, afterWrite: 'set' }))
      wrong += (await play(make, order, clock)).length
    }
    expect(wrong).toBeGreaterThan(0)
  })
})
