import { describe, expect, it } from 'vitest'
import type { Store } from '../store.js'
import { casesFor, storeCases } from './conformance.js'
import { fakeClock, type FakeClock } from './fake-clock.js'
import { faultyStore } from './faulty-store.js'
import { mapStore } from './map-store.js'
import { runModel } from './model.js'
import { sharedServer } from './shared-server.js'

describe('mapStore keeps the store contract', () => {
  for (const { name, run } of casesFor(mapStore(fakeClock()))) {
    it(name, () => {
      const clock = fakeClock()
      return run({ clock, store: mapStore(clock) })
    })
  }
})

describe('a store of sharedServer keeps the store contract', () => {
  for (const { name, run } of casesFor(sharedServer(fakeClock()).connect())) {
    it(name, () => {
      const clock = fakeClock()
      const server = sharedServer(clock)
      return run({ clock, store: server.connect(), other: server.connect() })
    })
  }

  it.each([1, 2, 3])('it agrees with mapStore under random operations (seed %i)', (seed) => {
    const clock = fakeClock()
    return runModel({ clock, seed, store: sharedServer(clock).connect(), reference: mapStore(clock) })
  })
})

it('faultyStore without a fault keeps the store contract', async () => {
  for (const { run } of casesFor(faultyStore(mapStore(fakeClock())))) {
    const clock = fakeClock()
    await run({ clock, store: faultyStore(mapStore(clock)) })
  }
})

/** A store that breaks one promise, and the case that says so. */
const broken: Record<string, (store: Store, clock: FakeClock) => Store> = {
  'an entry is gone at the very instant it expires, and not before': (store) => {
    const kept = new Map<string, unknown>()
    return {
      ...store,
      set: (key, entry) => (kept.set(key, entry), store.set(key, entry)),
      get: (key) => kept.get(key) as ReturnType<Store['get']>,
      delete: (key) => kept.delete(key),
    }
  },
  'null is kept as it is': (store) => ({
    ...store,
    set: (key, entry) => (entry.value === null ? undefined : store.set(key, entry)),
  }),
  'keys of any characters do not interfere': (store) => ({
    ...store,
    set: (key, entry) => store.set(key === '*' ? 'a' : key, entry),
  }),
  'clear takes its prefix literally, and nothing else': (store) => ({ ...store, clear: () => store.clear() }),
  'a set replaces the whole entry': (store) => ({
    ...store,
    set: (key, entry) => (store.get(key) ? undefined : store.set(key, entry)),
  }),
  'getMany answers in the order of its keys, also for one that is missing or asked for twice': (store) => ({
    ...store,
    batch: {
      ...store.batch!,
      getMany: async (keys) => [...(await store.batch!.getMany(keys))].filter(Boolean),
    },
  }),
  'set revokes the lease, and a late commit is dropped': (store) => ({
    ...store,
    leases: { ...store.leases!, commit: async (key, _, entry) => (await store.set(key, entry), true) },
  }),
  'the log tells what others change, in order, and none is left out': (store) => ({
    ...store,
    log: {
      follow: (listener) => {
        let told = 0
        return store.log!.follow({ ...listener, changed: (change) => ++told % 2 && listener.changed(change) })
      },
    },
  }),
  'a tag keeps its version until it is invalidated, and has another afterwards': (store) => ({
    ...store,
    tags: { ...store.tags!, invalidate: () => undefined },
  }),
}

describe('a store that breaks a promise is caught by the case of that name', () => {
  for (const [name, damage] of Object.entries(broken)) {
    it(name, async () => {
      const clock = fakeClock()
      const server = sharedServer(clock)
      const { run } = storeCases.find((one) => one.name === name)!
      const caught = await run({
        clock,
        store: damage(server.connect(), clock),
        other: server.connect(),
      }).catch((error: Error) => error)
      expect(caught).toMatchObject({ name: 'ConformanceError' })
    })
  }
})

it('the model finds a store that forgets', async () => {
  const clock = fakeClock()
  const store = { ...mapStore(clock), delete: () => false }
  await expect(runModel({ clock, seed: 1, store, reference: mapStore(clock) })).rejects.toThrow(
    /seed 1, step \d+: /,
  )
})

it('an excuse for a case that does not exist is refused', () => {
  expect(() => casesFor(mapStore(fakeClock()), { 'no such case': 'because' })).toThrow(
    'there is no case named',
  )
})
