import { describe, it } from 'vitest'
import {
  distantStore,
  type InterleavingOptions,
  mapStore,
  playInterleaving,
  sharedServer,
} from '@flow-cache/core/testing'

const places: Record<string, InterleavingOptions['stores']> = {
  'one process, a store that answers at once': (clock) => [mapStore(clock)],
  'one process, a store that is far away': (clock, order) => [distantStore(mapStore(clock), order)],
  'one process, a shared server that tells nobody what changed': (clock, order) => {
    const { log: _, ...store } = sharedServer(clock, (call) => order.step(call)).connect()
    return [store]
  },
  'two processes that share a server': (clock, order) => {
    const server = sharedServer(clock, (call) => order.step(call))
    return [server.connect(), server.connect()]
  },
}

/** How many orders each part plays. `INTERLEAVINGS=2500` plays fifty thousand at each place. */
const each = Number(process.env['INTERLEAVINGS'] ?? 150)

describe.each(Object.entries(places))(
  'a value that was changed while it loaded is never seen again: %s',
  (_, stores) => {
    it.each(Array.from({ length: 20 }, (_, part) => part))(
      'a lot of interleavings, part %i',
      { timeout: Math.max(60_000, each * 400) },
      async (part) => {
        for (let seed = part * each; seed < (part + 1) * each; seed++) {
          await playInterleaving({ seed, stores })
        }
      },
    )
  },
)
