import { words } from '../text-of.js'
import { claim, entry, gone, seen, type StoreCase } from './store-case.js'

/** What a store that takes many keys at once must do. */
export const batchCases: readonly StoreCase[] = [
  {
    name: 'getMany answers in the order of its keys, also for one that is missing or asked for twice',
    group: 'batch',
    asks:
      'the answers stand in the order of the keys, one each: undefined for a missing one, the entry again for one that is asked for ' +
      'twice. A database answers in an order of its own, and leaves out what it does not have',
    async run({ store, clock }) {
      await store.batch!.setMany([
        ['b', entry(clock, 2)],
        ['a', entry(clock, undefined)],
        ['__proto__', entry(clock, 4)],
      ])
      const asked = ['__proto__', 'nobody', 'b', 'a', 'b']
      const found = await store.batch!.getMany(asked)
      claim(found.length === 5, `five keys were asked for, ${found.length} answered`)
      const wanted = [4, 'missing', 2, undefined, 2]
      wanted.forEach((value, i) => {
        const got = found[i] === undefined ? 'missing' : found[i].value
        claim(
          Object.is(got, value),
          `getMany(${words(asked)}) gave ${words(got)} for ${words(asked[i])}, not ${words(value)}`,
        )
      })
    },
  },
  {
    name: 'getMany leaves out what has expired',
    group: 'batch',
    asks: 'each key fares as it would alone: getMany compares expiresAt with the clock, as get does',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10 }))
      await clock.advance(10)
      claim((await store.batch!.getMany(['a']))[0] === undefined, 'getMany gave an entry that has expired')
    },
  },
  {
    name: 'setMany keeps each entry as set would',
    group: 'batch',
    asks: 'each entry fares as it would alone: one that has expired ends the one before, and of two for one key the last stays',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1))
      await store.batch!.setMany([
        ['a', entry(clock, 2, { ttl: 0 })],
        ['b', entry(clock, 1)],
        ['b', entry(clock, 2)],
      ])
      await gone(store, 'a', 'after setMany with an entry that has expired')
      await seen(store, 'b', 2, ' after setMany with two entries for one key')
    },
  },
  {
    name: 'deleteMany tells how many were there',
    group: 'batch',
    asks: 'deleteMany counts the keys that had an entry to read: neither missing nor expired ones',
    async run({ store, clock }) {
      await store.batch!.setMany([
        ['a', entry(clock, 1)],
        ['b', entry(clock, 2)],
        ['late', entry(clock, 3, { ttl: 1 })],
      ])
      await clock.advance(1)
      const count = await store.batch!.deleteMany(['a', 'nobody', 'late', 'b'])
      claim(count === 2, `deleteMany counted ${count}, where 2 of the keys had an entry that has not expired`)
      await gone(store, 'a', 'after deleteMany')
    },
  },
  {
    name: 'a batch may be empty, or have hundreds of keys',
    group: 'batch',
    asks: 'there is no least and no most: split what is more than the backend takes in one call',
    async run({ store, clock }) {
      const none = await store.batch!.getMany([])
      claim(none.length === 0, `getMany([]) gave ${words(none)}`)
      await store.batch!.setMany([])
      claim((await store.batch!.deleteMany([])) === 0, 'deleteMany([]) counted something')
      const keys = Array.from({ length: 700 }, (_, i) => `k${i}`)
      await store.batch!.setMany(keys.map((key, i) => [key, entry(clock, i)]))
      const found = await store.batch!.getMany(keys)
      const wrong = keys.find((_, i) => found[i]?.value !== i)
      claim(wrong === undefined, `of 700 keys, getMany did not give the entry of ${words(wrong)}`)
      const count = await store.batch!.deleteMany(keys)
      claim(count === 700, `of 700 keys, deleteMany counted ${count}`)
    },
  },
]
