import type { Clock, Store } from '@flow-cache/core'
import { memoryStore, type MemoryStoreOptions } from '@flow-cache/memory'
import { describe, expectTypeOf, it } from 'vitest'

describe('memoryStore', () => {
  it('is a Store', () => {
    expectTypeOf(memoryStore()).toEqualTypeOf<Store>()
    expectTypeOf(memoryStore).parameter(0).toEqualTypeOf<MemoryStoreOptions | undefined>()
  })

  it('takes its options, undefined ones too', () => {
    const clock = undefined as Clock | undefined
    memoryStore({
      maxEntries: 1,
      maxBytes: 1,
      sizeOf: (value: unknown, key) => key.length,
      policy: 'adaptive',
      random: () => 0,
      sweepInterval: '30s',
      clock,
    })
  })

  it('refuses others', () => {
    // @ts-expect-error there is no such policy
    memoryStore({ policy: 'fifo' })
    // @ts-expect-error lru-cache's own name
    memoryStore({ max: 10 })
    // @ts-expect-error an asynchronous size is none
    memoryStore({ maxBytes: 1, sizeOf: async () => 1 })
    // @ts-expect-error there is no such unit
    memoryStore({ sweepInterval: '1 week' })
  })
})
