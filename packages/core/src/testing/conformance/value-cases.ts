import { CacheError } from '../../errors.js'
import { words } from '../text-of.js'
import { claim, entry, gone, seen, type StoreCase } from './store-case.js'

const asks =
  'get gives back a value equal to the one that was set; 0, an empty text, false, null, NaN and undefined are values like others. ' +
  'JSON loses -0, NaN and undefined: plainCodec of @flow-cache/core/codec keeps them'

const kept: readonly StoreCase[] = [
  0,
  -0,
  '',
  false,
  null,
  Number.NaN,
  undefined,
  [],
  {},
  'text',
  { a: [1, { b: 2 }] },
].map((value): StoreCase => ({
  name: `${words(value)} is kept as it is`,
  asks,
  async run({ store, clock }) {
    await store.set('a', entry(clock, value))
    await seen(store, 'a', value)
  },
}))

const kinds: Readonly<Record<string, () => unknown>> = {
  'a date': () => ({ at: new Date(3) }),
  'a map': () => new Map([[1, { a: 1 }]]),
  'a set': () => new Set(['a']),
  'a bigint': () => [12n],
  'binary data': () => ({ bytes: Uint8Array.of(1, 2, 255) }),
  'undefined inside': () => ({ a: undefined, b: [undefined] }),
  'NaN inside': () => [Number.NaN, Number.POSITIVE_INFINITY],
}

const refusable = Object.entries(kinds).map(([kind, make]): StoreCase => ({
  name: `${kind} comes back equal, or is refused with ERR_VALUE`,
  asks:
    'a value comes back equal to the one that was set; one that cannot be kept is refused by set, with a CacheError with the code ' +
    'ERR_VALUE, never kept as something else. plainCodec of @flow-cache/core/codec keeps all of these, jsonCodec refuses them',
  async run({ store, clock }) {
    try {
      await store.set('a', entry(clock, make()))
    } catch (error) {
      if (error instanceof CacheError && error.code === 'ERR_VALUE')
        return gone(store, 'a', 'after a refused set')
      throw error
    }
    await seen(store, 'a', make())
  },
}))

const own: StoreCase = {
  name: 'what is done to a value later changes nothing that is kept',
  unless: 'local',
  asks:
    'a store without the group `local` keeps bytes, or copies, and hands out another copy at every get. ' +
    'packEntry and unpackEntry of @flow-cache/core/codec do it',
  async run({ store, clock }) {
    const value = { list: [1] }
    await store.set('a', entry(clock, value))
    value.list.push(2)
    await seen(store, 'a', { list: [1] }, ' after the caller had changed its own object')
    const found = (await store.get('a'))!.value as typeof value
    found.list.push(3)
    await seen(store, 'a', { list: [1] }, ' after a reader had changed what it was given')
    if (store.batch === undefined) return
    const [other] = await store.batch.getMany(['a'])
    claim(other !== undefined, "getMany(['a']) found nothing")
    ;(other.value as typeof value).list.push(4)
    await seen(store, 'a', { list: [1] }, ' after a reader had changed what getMany gave it')
  },
}

/** What becomes of values. */
export const valueCases: readonly StoreCase[] = [...kept, ...refusable, own]
