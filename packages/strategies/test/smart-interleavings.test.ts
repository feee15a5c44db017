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
import { SmartCache } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'

/** What each key is made from. The roots change; the others are loaded from what is above them. */
const parents: Readonly<Record<string, readonly string[]>> = {
  root: [],
  other: [],
  left: ['root'],
  right: ['root', 'other'],
  bottom: ['left', 'right'],
  last: ['bottom'],
}
const roots = ['root', 'other']
const keys = Object.keys(parents)

/** The versions of the roots that a value was made from. */
type Value = Readonly<Record<string, number>>

async function play(
  caches: readonly SmartCache[],
  { step, random, run }: Scheduler,
  clock: FakeClock,
): Promise<string[]> {
  const truth: Record<string, number> = { root: 0, other: 0 }
  /** The version that every read which begins now must have, or a later one. */
  const told: Record<string, number> = { root: 0, other: 0 }
  const violations: string[] = []
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!

  const read = (cache: SmartCache, key: string): Promise<Value> => {
    const late = random() < 0.3
    return cache.getOrSet<Value>(
      key,
      async ({ dependsOn }) => {
        await step(`load ${key}`)
        if (late) dependsOn(...parents[key]!)
        if (roots.includes(key)) return { [key]: truth[key]! }
        const above = await Promise.all(parents[key]!.map((parent) => read(cache, parent)))
        await step(`load ${key} again`)
        const value: Record<string, number> = {}
        for (const part of above) {
          for (const [root, version] of Object.entries(part))
            value[root] = Math.min(version, value[root] ?? Infinity)
        }
        return value
      },
      late ? {} : { dependsOn: parents[key]! },
    )
  }

  const look = async (): Promise<void> => {
    const key = pick(keys)
    const expected = { ...told }
    const value = await read(pick(caches), key)
    for (const [root, version] of Object.entries(value)) {
      if (version < expected[root]!) violations.push(`${key} has ${root} ${version}, not ${expected[root]}`)
    }
  }

  const change = async (): Promise<void> => {
    const root = pick(roots)
    const version = ++truth[root]!
    await pick(caches).invalidate(root)
    told[root] = Math.max(told[root]!, version)
  }

  const tasks = Array.from({ length: 10 }, (_, i) => async () => {
    await step(`task ${i}`)
    await pick([look, look, change])()
    await step(`task ${i} again`)
    await look()
  })
  const idle = (): Promise<void> => clock.advance(10)
  await run(tasks, idle)
  await run(
    caches.flatMap(() => keys.map(() => look)),
    idle,
  )
  return violations
}

const places: Record<string, (clock: FakeClock, order: Scheduler) => readonly Store[]> = {
  'one process, a store that answers at once': (clock) => [mapStore(clock)],
  'one process, a store that is far away': (clock, order) => [distantStore(mapStore(clock), order)],
  'two processes that share a server': (clock, order) => {
    const server = sharedServer(clock, (call) => order.step(call))
    return [server.connect(), server.connect()]
  },
}

describe.each(Object.entries(places))('nothing made from an old value is answered: %s', (_, make) => {
  it('in a hundred and fifty interleavings', { timeout: 120_000 }, async () => {
    for (let seed = 0; seed < 150; seed++) {
      const clock = fakeClock()
      const order = scheduler(seed)
      const caches = make(clock, order).map((store) =>
        createCache({
          store,
          clock,
          random: order.random,
          ttl: '1h',
          timeouts: { store: '1h', load: '2h' },
          leaseTerm: '2h',
        }),
      )
      const smart = caches.map((cache) => new SmartCache({ cache }))
      expect(await play(smart, order, clock), `seed ${seed}`).toEqual([])
    }
  })
})
