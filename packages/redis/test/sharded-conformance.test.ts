import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type Change, createEntry, type Store } from '@flow-cache/core'
import {
  casesFor,
  type FakeClock,
  fakeClock,
  mapStore,
  runModel,
  sharedServer,
} from '@flow-cache/core/testing'
import { redisStore } from '@flow-cache/redis'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, expect, it } from 'vitest'
import { shardedStore } from '../src/sharded/sharded-store.js'

type Make = (clock: FakeClock, shard: number) => Store

const names = ['red', 'green', 'blue']

const sharded = (clock: FakeClock, make: Make): Store =>
  shardedStore(Object.fromEntries(names.map((name, i) => [name, make(clock, i)])), { clock, timeout: '5s' })

/** What one process after the other opens on the same servers. */
const kinds: Readonly<Record<string, () => Make>> = {
  maps: () => mapStore,
  'shared servers in memory': () => {
    const servers: ReturnType<typeof sharedServer>[] = []
    return (clock, shard) => (servers[shard] ??= sharedServer(clock)).connect()
  },
  Redis: () => {
    const prefix = randomUUID()
    return (clock, shard) =>
      redisStore({ url: redisUrl(), prefix: `${prefix}:${shard}:`, clock, heartbeat: 20, timeout: '5s' })
  },
}

const pause = (kind: string, clock: FakeClock) => (kind === 'Redis' ? setTimeout(10) : clock.advance(10))

/** The cases that need an order of all changes; the test below is about what is promised instead. */
const order = 'the log tells what others change, in order, and none is left out'
const ofBatches = 'the log tells of what a batch changes, and of what expires by order'
const why = 'independent servers have no order between them, and each tells of a clear'

const excusesOf = (kind: string): Readonly<Record<string, string>> => ({
  [order]: why,
  [ofBatches]: why,
  ...(kind === 'maps' && {
    'what is done to a value later changes nothing that is kept': 'a map keeps the object itself',
    'what is set after close is refused with ERR_CLOSED, or not kept': 'a map outlives its close',
  }),
})

for (const [kind, open] of Object.entries(kinds)) {
  describe(`the store contract over ${kind}`, () => {
    const sample = sharded(fakeClock(), open())
    void sample.close()
    for (const { name, run } of casesFor(sample, excusesOf(kind))) {
      it(name, async () => {
        const clock = fakeClock(Date.now())
        const make = open()
        const [store, other] = [sharded(clock, make), sharded(clock, make)]
        try {
          await run({ store, clock, other, pause: () => pause(kind, clock) })
        } finally {
          await store.close()
          await other.close()
        }
      })
    }

    it.each([1, 2, 3])('it agrees with a map under random operations (seed %i)', async (seed) => {
      const clock = fakeClock(Date.now())
      const store = sharded(clock, open())
      try {
        await runModel({ store, reference: mapStore(clock), clock, seed, steps: 300 })
      } finally {
        await store.close()
      }
    })
  })
}

describe('the log of several shards', () => {
  const shared = Object.entries(kinds).filter(([kind]) => kind !== 'maps')
  it.each(shared)(
    'tells what others change, of each shard in order, and none is left out (%s)',
    async (kind, open) => {
      const clock = fakeClock(Date.now())
      const make = open()
      const [store, other] = [sharded(clock, make), sharded(clock, make)]
      const told: Change[] = []
      const stop = store.log!.follow({
        changed: (change) => told.push(change),
        lost: () => expect.fail('lost'),
      })
      try {
        const put = createEntry({ value: 1, createdAt: clock.now(), ttl: 1_000 })
        // From here on it hears everything.
        await store.tags!.position()
        for (let i = 0; i < 10; i++) {
          await other.set(`a${i}`, put)
          await other.delete(`b${i}`)
          await other.tags!.invalidate([`x${i}`, `y${i}`])
        }
        await other.clear('p')
        for (let i = 0; i < 10; i++) await other.set(`a${i}`, put)
        const most = 53
        for (let i = 0; i < 500 && told.length < most; i++) await pause(kind, clock)
        expect(told).toHaveLength(most)
        const about = (name: string) =>
          told
            .filter((change) => change.kind === 'clear' || Object.values(change).includes(name))
            .map(({ kind }) => kind)
        for (let i = 0; i < 10; i++) {
          const twice = about(`a${i}`)
          expect(twice.filter((kind) => kind === 'key')).toHaveLength(2)
          // The clear of its own shard is between the two; where the others' are is not said.
          expect(twice.lastIndexOf('key') - twice.indexOf('key')).toBeGreaterThan(1)
          for (const [name, kind] of [
            [`b${i}`, 'key'],
            [`x${i}`, 'tag'],
            [`y${i}`, 'tag'],
          ] as const) {
            expect(about(name).filter((one) => one === kind)).toHaveLength(1)
            expect(about(name).at(-1)).toBe('clear')
          }
        }
      } finally {
        stop()
        await store.close()
        await other.close()
      }
    },
  )
})
