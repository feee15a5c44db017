import { createCache } from '@flow-cache/core'
import { fakeClock, sharedServer } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { tieredStore } from '@flow-cache/multilevel'
import { describe, expect, it } from 'vitest'

describe('an entry in memory whose tag has died does not stand before what another process stored since', () => {
  for (const by of ['here', 'there'] as const) {
    for (const read of ['get', 'getMany', 'getEntry'] as const) {
      it(`for ${read}, where the tag died by a call ${by}`, async () => {
        const clock = fakeClock()
        const server = sharedServer(clock)
        const [here, there] = [1, 2].map(() =>
          createCache({
            store: tieredStore({ tiers: [memoryStore({ clock }), server.connect()], clock }),
            clock,
          }),
        )
        await here!.getOrSet('k', () => 'old', { tags: ['t'] })
        expect(await here!.get('k')).toBe('old')
        await { here: here!, there: there! }[by].invalidateTags(['t'])
        await there!.getOrSet('k', () => 'new', { tags: ['t'] })
        const reads = {
          get: () => here!.get('k'),
          getMany: async () => (await here!.getMany(['k'])).get('k'),
          getEntry: async () => (await here!.getEntry('k'))?.value,
        }
        expect(await reads[read]()).toBe('new')
        await Promise.all([here!.close(), there!.close()])
      })
    }
  }
})
