import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { casesFor, type FakeClock, fakeClock, mapStore, runModel } from '@flow-cache/core/testing'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, it } from 'vitest'

const open = (clock: FakeClock, prefix = `${randomUUID()}:`) =>
  redisStore({ url: redisUrl(), prefix, clock, heartbeat: 20, timeout: '5s' })

describe('the store contract', () => {
  const sample = redisStore({ options: { lazyConnect: true } })
  void sample.close()
  for (const { name, run } of casesFor(sample)) {
    it(name, async () => {
      const clock = fakeClock(Date.now())
      const prefix = `${randomUUID()}:`
      const [store, other] = [open(clock, prefix), open(clock, prefix)]
      try {
        await run({ store, clock, other, pause: () => setTimeout(10) })
      } finally {
        await store.close()
        await other.close()
      }
    })
  }

  it.each([1, 2, 3])('it agrees with a map under random operations (seed %i)', async (seed) => {
    const clock = fakeClock(Date.now())
    const store = open(clock)
    try {
      await runModel({ store, reference: mapStore(clock), clock, seed, steps: 300 })
    } finally {
      await store.close()
    }
  })
})
