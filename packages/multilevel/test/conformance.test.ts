import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Store } from '@flow-cache/core'
import {
  casesFor,
  type FakeClock,
  fakeClock,
  mapStore,
  runModel,
  sharedServer,
} from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { tieredStore } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, it } from 'vitest'

/** Stores of processes that share what is behind. */
type Fleet = (clock: FakeClock) => () => Store

const fleets: Record<string, Fleet> = {
  'memory over a map'(clock) {
    const base = mapStore(clock)
    return () => tieredStore({ tiers: [near(clock), base], clock })
  },
  'memory over a shared server'(clock) {
    const server = sharedServer(clock)
    return () => tieredStore({ tiers: [near(clock), server.connect()], clock })
  },
  'memory over Redis'(clock) {
    const prefix = `${randomUUID()}:`
    return () => tieredStore({ tiers: [near(clock), redis(clock, prefix)], clock })
  },
  'three tiers: memory over a near Redis over a far one'(clock) {
    const [close, far] = [`${randomUUID()}:`, `${randomUUID()}:`]
    const tiers = () => [near(clock), redis(clock, close), redis(clock, far)]
    return () => tieredStore({ tiers: tiers(), clock })
  },
}

/** Without the usual bound, so that every entry keeps its instants. */
const near = (clock: FakeClock) => ({ store: memoryStore({ clock }), ttl: Infinity })

const redis = (clock: FakeClock, prefix: string) =>
  redisStore({ url: redisUrl(), prefix, clock, heartbeat: 20, timeout: '5s' })

const excuses: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'memory over a map': {
    'what is set after close is refused with ERR_CLOSED, or not kept': 'a map outlives its close',
  },
}

describe.each(Object.entries(fleets))('the store contract: %s', (kind, fleet) => {
  const sample = fleet(fakeClock())()
  void sample.close()
  for (const { name, run } of casesFor(sample, excuses[kind])) {
    it(name, async () => {
      const clock = fakeClock(Date.now())
      const connect = fleet(clock)
      const [store, other] = [connect(), connect()]
      try {
        await run({ store, clock, other, pause: () => setTimeout(10).then(() => clock.advance(10)) })
      } finally {
        await store.close()
        await other.close()
      }
    })
  }

  it.each([1, 2, 3])('it agrees with a map under random operations (seed %i)', async (seed) => {
    const clock = fakeClock(Date.now())
    const store = fleet(clock)()
    try {
      await runModel({ store, reference: mapStore(clock), clock, seed, steps: 300 })
    } finally {
      await store.close()
    }
  })
})
