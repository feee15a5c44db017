import { describe, it } from 'vitest'
import { type InterleavingOptions, playInterleaving, sharedServer } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { tieredStore } from '@flow-cache/multilevel'

const places: Record<string, InterleavingOptions['stores']> = {
  'memory in front of a server': (clock, order) => {
    const server = sharedServer(clock, (call) => order.step(call))
    return [1, 2].map(() => tieredStore({ tiers: [memoryStore({ clock }), server.connect()], clock }))
  },
  'memory, a nearer server and the one that decides': (clock, order) => {
    const near = sharedServer(clock, (call) => order.step(`near: ${call}`))
    const server = sharedServer(clock, (call) => order.step(call))
    return [1, 2].map(() =>
      tieredStore({ tiers: [memoryStore({ clock }), near.connect(), server.connect()], clock }),
    )
  },
}

/** How many orders each part plays. `INTERLEAVINGS=2500` plays twenty-five thousand at each place. */
const each = Number(process.env['INTERLEAVINGS'] ?? 150)

describe.each(Object.entries(places))(
  'two processes with tiers never see again what was changed while it loaded: %s',
  (_, stores) => {
    it.each(Array.from({ length: 10 }, (_, part) => part))(
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
