import { claim, entry, type StoreCase } from './store-case.js'

/** What a store in this process must do. */
export const localCases: readonly StoreCase[] = [
  {
    name: 'the nearest tier has what was set, at once',
    group: 'local',
    asks: 'local.get and local.peek answer at once with what the first tier holds; an entry that has expired keeps its end there',
    async run({ store, clock }) {
      await store.set('a', entry(clock, undefined, { ttl: 10 }))
      for (const how of ['get', 'peek'] as const) {
        claim(store.local![how]('a') !== undefined, `local.${how} did not find an entry of undefined`)
      }
      await clock.advance(10)
      for (const how of ['get', 'peek'] as const) {
        const late = store.local![how]('a')
        claim(
          late === undefined || late.expiresAt <= clock.now(),
          `local.${how} gave an expired entry a longer life`,
        )
      }
      await store.set('a', entry(clock, 1))
      await store.delete('a')
      claim(store.local!.peek('a') === undefined, 'local.peek gave an entry after its delete')
    },
  },
]
