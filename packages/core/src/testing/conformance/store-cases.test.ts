import { describe, expect, it } from 'vitest'
import { casesFor } from './store-cases.js'
import { fakeClock, type FakeClock } from '../fake-clock.js'
import { faultyStore } from '../faulty-store.js'
import { mapStore } from '../map-store.js'
import { runModel } from '../model.js'
import { sharedServer } from '../shared-server.js'

const ofMaps = {
  'what is set after close is refused with ERR_CLOSED, or not kept': 'a map outlives its close',
}

describe('mapStore keeps the store contract', () => {
  for (const { name, run } of casesFor(mapStore(fakeClock()), ofMaps)) {
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
  const connect = (clock: FakeClock) => sharedServer(clock).connect()
  for (const { run } of casesFor(faultyStore(connect(fakeClock())))) {
    const clock = fakeClock()
    const server = sharedServer(clock)
    await run({ clock, store: faultyStore(server.connect()), other: server.connect() })
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
