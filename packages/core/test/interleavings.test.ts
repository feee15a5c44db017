import { describe, it } from 'vitest'
import {
  distantStore,
  type FaultyStore,
  faultyStore,
  type InterleavingOptions,
  mapStore,
  playInterleaving,
  type Scheduler,
  sharedServer,
} from '@flow-cache/core/testing'

type Place = Pick<InterleavingOptions, 'stores' | 'without'>

/** Calls that are made at this step fail, at random. */
const sicken = (store: FaultyStore, { random }: Scheduler): void =>
  store.fail(random() < 0.15 ? 'reject' : 'none')

const places: Record<string, Place> = {
  'one process, a store that answers at once': { stores: (clock) => [mapStore(clock)] },
  'one process, a store that is far away': {
    stores: (clock, order) => [distantStore(mapStore(clock), order)],
  },
  'one process, a shared server that tells nobody what changed': {
    stores: (clock, order) => {
      const { log: _, ...store } = sharedServer(clock, (call) => order.step(call)).connect()
      return [store]
    },
  },
  'one process, a store that is far away and fails now and then': {
    without: ['pattern'],
    stores(clock, order) {
      const step = (label: string): Promise<void> => order.step(label).then(() => sicken(store, order))
      const store = faultyStore(distantStore(mapStore(clock), { step }))
      return [store]
    },
  },
  'one process, a shared server that fails now and then': {
    without: ['pattern'],
    stores(clock, order) {
      const pace = (call: string): Promise<void> => order.step(call).then(() => sicken(store, order))
      const store = faultyStore(sharedServer(clock, pace).connect())
      return [store]
    },
  },
  'two processes that share a server': {
    stores(clock, order) {
      const server = sharedServer(clock, (call) => order.step(call))
      return [server.connect(), server.connect()]
    },
  },
}

/** How many orders each part plays. `INTERLEAVINGS=2500` plays fifty thousand at each place. */
const each = Number(process.env['INTERLEAVINGS'] ?? 150)

describe.each(Object.entries(places))(
  'a value that was changed while it loaded is never seen again: %s',
  (_, place) => {
    it.each(Array.from({ length: 20 }, (_, part) => part))(
      'a lot of interleavings, part %i',
      { timeout: Math.max(60_000, each * 400) },
      async (part) => {
        for (let seed = part * each; seed < (part + 1) * each; seed++) {
          await playInterleaving({ seed, ...place })
        }
      },
    )
  },
)
