import { type Cache, createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, gate, mapStore, settle, sharedServer } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'

it('close waits for a load, closes the store, and leaves no timer', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const { wait, open, arrived } = gate()
  const value = cache.getOrSet('a', async () => {
    await wait()
    return 1
  })
  await arrived
  const closed = cache.close()
  open()
  expect(await value).toBe(1)
  await closed
  expect(clock.pending).toBe(0)
})

it('close gives up a load that does not end, with ERR_CLOSED, and can be called again', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  let signal: AbortSignal | undefined
  const value = cache.getOrSet('a', (context) => {
    signal = context.signal
    return new Promise(() => {})
  })
  const refused = expect(value).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  await settle()
  const closed = cache.close({ deadline: '1s' })
  await clock.advance(1_000)
  await Promise.all([closed, refused])
  expect(signal?.aborted).toBe(true)
  await cache.close()
  await cache.drain()
  expect(cache.stats().loading).toBe(0)
  expect(clock.pending).toBe(0)
})

it('a load that was given up holds no place among maxLoads, though its loader never ends', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, maxLoads: 1, timeouts: { load: '1s' } })
  const value = cache.getOrSet('a', () => new Promise(() => {}))
  const late = expect(value).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
  await clock.advance(1_000)
  await late
  expect(await cache.getOrSet('b', () => 2)).toBe(2)
})

/** A cache over a store that is dead while something is done, and back when its circuit lets it be tried. */
function dying(): { cache: Cache; dieAndReturn: (meanwhile: () => Promise<void>) => Promise<void> } {
  const clock = fakeClock()
  const store = faultyStore(mapStore(clock))
  const cache = createCache({ store, clock, circuit: { cooldown: 10 } })
  return {
    cache,
    async dieAndReturn(meanwhile) {
      store.fail('reject')
      await meanwhile()
      store.fail('none')
      await clock.advance(10)
    },
  }
}

it('what a dead store was to clear is not seen when it is back', async () => {
  const { cache, dieAndReturn } = dying()
  await cache.set('a', 'old')
  await dieAndReturn(() => cache.clear())
  expect(await cache.get('a')).toBeUndefined()
})

it('what is set after a clearing that is owed stays', async () => {
  const { cache, dieAndReturn } = dying()
  await cache.set('b', 'old')
  await dieAndReturn(() => cache.clear())
  await cache.set('a', 'new')
  expect(await cache.get('a')).toBe('new')
  expect(await cache.get('b')).toBeUndefined()
})

it('a namespace that a dead store could not sweep is cleared all the same', async () => {
  const { cache: root, dieAndReturn } = dying()
  const cache = root.namespace('n')
  await cache.set('a', 'old')
  await dieAndReturn(() => cache.clear())
  expect(await cache.get('a')).toBeUndefined()
})

it('an option named __proto__ is refused like any that is not known', () => {
  const store = mapStore(fakeClock())
  expect(() => createCache({ store, ['__proto__' as 'ttl']: 1 })).toThrow("unknown option '__proto__'")
})

it('what a dead store was to invalidate is not seen when it is back, by anybody once it has been asked', async () => {
  const clock = fakeClock()
  const server = sharedServer(clock)
  const store = faultyStore(server.connect())
  const cache = createCache({ store, clock, circuit: { cooldown: 10 } })
  const other = createCache({ store: server.connect(), clock })
  await cache.set('a', 'old', { tags: ['t'] })
  expect(await other.get('a')).toBe('old')
  store.fail('reject')
  await cache.invalidateTags(['t'])
  expect(await cache.get('a')).toBeUndefined()
  store.fail('none')
  await clock.advance(10)
  expect(await cache.get('a')).toBeUndefined()
  expect(await other.get('a')).toBeUndefined()
})
