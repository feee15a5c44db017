import { CacheError } from '../../errors.js'
import { words } from '../text-of.js'
import { claim, entry, equal, gone, oddKeys, seen, type StoreCase } from './store-case.js'
import { valueCases } from './value-cases.js'

const lives: readonly StoreCase[] = [
  {
    name: 'a stale entry is still answered',
    asks: 'an entry past staleAt is still there; only expiresAt ends it. What a stale entry is good for is the cache’s business',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, grace: 10 }))
      await clock.advance(15)
      await seen(store, 'a', 1, ' in its grace')
    },
  },
  {
    name: 'an entry is gone at the very instant it expires, and not before',
    asks:
      'get compares expiresAt with the clock at every read: there while now < expiresAt, gone from then on. ' +
      'The time to live of a server only cleans up',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10 }))
      await clock.advance(9)
      await seen(store, 'a', 1, ' a millisecond before its end')
      await clock.advance(1)
      await gone(store, 'a', 'at the instant it expires')
      claim(!(await store.delete('a')), 'delete found an entry that has expired')
    },
  },
  {
    name: 'a ttl of one millisecond, of 30 days and for ever are what they say',
    asks:
      'any duration is kept; an entry for ever has an expiresAt of Infinity, for which JSON and many databases have no form. ' +
      'Its grace is 0, as graceOf says: Infinity - Infinity is NaN',
    async run({ store, clock }) {
      const month = 30 * 24 * 3_600_000
      await store.set('short', entry(clock, 1, { ttl: 1 }))
      await store.set('long', entry(clock, 2, { ttl: month }))
      await store.set('ever', entry(clock, 3, { ttl: Infinity }))
      await seen(store, 'short', 1, ' at once')
      await seen(store, 'long', 2, ' at once')
      await seen(store, 'ever', 3, ' at once')
      await clock.advance(1)
      await gone(store, 'short', 'after its millisecond')
      await clock.advance(month - 2)
      await seen(store, 'long', 2, ' on its last day')
      await clock.advance(1)
      await gone(store, 'long', 'after 30 days')
      await clock.advance(1_000 * month)
      await seen(store, 'ever', 3, ' after 80 years')
    },
  },
  {
    name: 'an entry that has expired already is not kept, and ends the one before',
    asks: 'set takes an entry that has expired without an error, keeps nothing, and removes what was there',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1))
      await store.set('a', entry(clock, 2, { ttl: 0 }))
      await gone(store, 'a', 'after an expired entry was set')
    },
  },
]

const wholes: readonly StoreCase[] = [
  {
    name: 'an entry keeps its instants, its load time and its version',
    asks:
      'what createEntry needs is kept beside the value: createdAt, the ttl (staleAt - createdAt), graceOf(entry), loadMs and version. ' +
      'packEntry of @flow-cache/core/codec does it',
    async run({ store, clock }) {
      const put = entry(clock, 1, { ttl: 100, grace: 50 })
      await store.set('a', put)
      const found = await store.get('a')
      claim(found !== undefined, "get('a') found nothing")
      for (const field of ['createdAt', 'staleAt', 'expiresAt', 'loadMs', 'version'] as const) {
        claim(found[field] === put[field], `${field} came back as ${found[field]}, not ${put[field]}`)
      }
    },
  },
  {
    name: 'an entry keeps the names and versions of its tags',
    asks: 'tags are kept beside the value, each with its name and its version, in their order; `alive` need not be',
    async run({ store, clock }) {
      const tags = [
        { name: 'x', version: '1' },
        { name: '', version: '2' },
      ]
      await store.set('a', entry(clock, 1, { tags }))
      const found = (await store.get('a'))?.tags?.map(({ name, version }) => ({ name, version }))
      claim(equal(found, tags), `the tags came back as ${words(found)}, not ${words(tags)}`)
    },
  },
  {
    name: 'a set replaces the whole entry',
    asks: 'nothing of the entry before is left: neither its value, nor its tags, nor its end',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, tags: [{ name: 'x', version: '1' }] }))
      await store.set('a', entry(clock, 2, { ttl: 20 }))
      await seen(store, 'a', 2)
      claim((await store.get('a'))?.tags === undefined, 'the tags of the entry before are still there')
      await clock.advance(15)
      await seen(store, 'a', 2, ' after the end of the entry before')
    },
  },
]

const ends: readonly StoreCase[] = [
  {
    name: 'delete tells whether there was an entry',
    asks: 'delete answers true if get would have answered with an entry, whatever its value, and false if not',
    async run({ store, clock }) {
      claim(!(await store.delete('a')), 'delete found an entry where none was set')
      await store.set('a', entry(clock, undefined))
      claim(await store.delete('a'), 'delete did not find an entry of undefined')
      claim(!(await store.delete('a')), 'delete found the same entry twice')
    },
  },
  {
    name: 'clear takes its prefix literally, and nothing else',
    asks: 'clear removes the keys that begin with the prefix; what a pattern language gives a meaning is a character like others there',
    async run({ store, clock }) {
      const prefix = '@a[1]*?\\%_:'
      const others = [
        '@a1:x',
        '@a[1]*?\\%_',
        '@a[1]xx\\%_:x',
        '@a[1]*?\\xx:',
        'x',
        '@a[1]*?\\%_;',
        '@A[1]*?\\%_:',
      ]
      for (const key of [`${prefix}x`, prefix, ...others]) await store.set(key, entry(clock, key))
      await store.clear(prefix)
      await gone(store, `${prefix}x`, 'after clear of its prefix')
      await gone(store, prefix, 'after clear of its prefix')
      for (const key of others) await seen(store, key, key, ' after clear of another prefix')
    },
  },
  {
    name: 'clear without a prefix takes everything',
    asks: 'clear() removes every entry of this store, however many, and has nothing to say where there are none',
    async run({ store, clock }) {
      await store.clear()
      await store.clear('p')
      const many = Array.from({ length: 300 }, (_, i) => `many:${i}`)
      for (const key of oddKeys) await store.set(key, entry(clock, 1))
      await Promise.all(many.map((key) => store.set(key, entry(clock, 1))))
      await store.clear()
      for (const key of [...oddKeys, ...many]) await gone(store, key, 'after clear')
    },
  },
]

const rest: readonly StoreCase[] = [
  {
    name: 'a key that was never set is not there',
    asks: 'get answers undefined for a key that was never set',
    run: ({ store }) => gone(store, 'a', 'before any set'),
  },
  {
    name: 'keys of any characters do not interfere',
    asks:
      'keys are texts of any characters and any length, told apart by every one of them. Where a backend has rules for keys, ' +
      'escape them, or keep the key beside the value and file it under a digest',
    async run({ store, clock }) {
      for (const key of oddKeys) await store.set(key, entry(clock, `of ${key}`))
      for (const key of oddKeys) await seen(store, key, `of ${key}`)
      for (const key of oddKeys) {
        claim(await store.delete(key), `delete(${words(key)}) did not find what set had put there`)
        await gone(store, key, 'after its delete')
      }
    },
  },
  {
    name: 'calls for one key take effect in the order they were made',
    asks:
      'calls for one key, made without waiting for each other, take effect in that order. Where the backend may overtake, ' +
      'begin a call when the one before has ended',
    async run({ store, clock }) {
      const calls = [
        store.set('a', entry(clock, 1)),
        store.delete('a'),
        store.set('a', entry(clock, 2)),
        store.set('a', entry(clock, 3)),
      ]
      await Promise.all(calls)
      await seen(store, 'a', 3, ' after set of 1, delete, set of 2 and set of 3 were called at once')
    },
  },
  {
    name: 'clear takes what was set before it, though nobody waited',
    asks: 'clear is a call for every key that was set before it: a set that was called earlier does not land after it',
    async run({ store, clock }) {
      await store.set('old', entry(clock, 1))
      await Promise.all([store.set('a', entry(clock, 1)), store.set('old', entry(clock, 2)), store.clear()])
      await gone(store, 'old', 'after set and clear were called at once')
      await gone(store, 'a', 'after set and clear were called at once')
    },
  },
  {
    name: 'it can be closed twice',
    asks: 'close may be called again, and then does nothing',
    async run({ store }) {
      await store.close()
      await store.close()
    },
  },
  {
    name: 'what is set after close is refused with ERR_CLOSED, or not kept',
    asks: 'after close, set is a CacheError with the code ERR_CLOSED, or keeps nothing',
    async run({ store, clock, other }) {
      await store.close()
      try {
        await store.set('a', entry(clock, 1))
      } catch (error) {
        if (error instanceof CacheError && error.code === 'ERR_CLOSED') return
        throw error
      }
      const found = await Promise.resolve(store.get('a')).catch(() => undefined)
      claim(found === undefined, "set('a') after close was kept, and get gave it back")
      if (other !== undefined) await gone(other, 'a', 'on another connection, set after close')
    },
  },
]

/** What every store must do. */
export const requiredCases: readonly StoreCase[] = [...rest, ...valueCases, ...wholes, ...lives, ...ends]
