import { describe, expect, it } from 'vitest'
import { createCache, type Cache, type GetOrSetOptions, type Store } from '@flow-cache/core'
import {
  distantStore,
  fakeClock,
  type FakeClock,
  mapStore,
  scheduler,
  type Scheduler,
  sharedServer,
} from '@flow-cache/core/testing'

/** When something began and was acknowledged, counted in steps of the run. */
interface Value {
  readonly key: string
  readonly kind: 'load' | 'set'
  readonly tags: readonly string[]
  /** The process. */
  readonly by: number
  readonly begun: number
  acknowledged: number
}

interface Change {
  readonly kind: string
  readonly covers: (value: Value) => boolean
  readonly softly: boolean
  readonly value?: Value
  readonly by: number
  readonly begun: number
  readonly acknowledged: number
}

const keys = ['a', 'b', 'c']
const tagOf = (key: string): string => (key === 'c' ? 'rest' : 'first')

/** How many seeds each part plays. `INTERLEAVINGS=2500` plays fifty thousand in all, for whoever changes how loads and changes meet. */
const each = Number(process.env['INTERLEAVINGS'] ?? 250)

/** Plays loads and changes at random, and answers with what must not be: old values that were seen too late. */
async function play(
  caches: readonly Cache[],
  { step, random, run }: Scheduler,
  clock: FakeClock,
): Promise<string[]> {
  let time = 0
  const changes: Change[] = []
  const violations: string[] = []
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!

  const check = (key: string, began: number, value: Value | undefined, how: string): void => {
    if (value === undefined) return
    if (value.key !== key) violations.push(`${how}(${key}) gave a value of ${value.key}`)
    for (const change of changes) {
      if (change.acknowledged > began || !change.covers(value) || change.value === value) continue
      if (change.softly && how !== 'get') continue
      // Another process is told in its own time, and what it begins to load meanwhile may be new. Tags end what is older
      // than the call; of other processes' keys, a pattern takes those that are there when it is called.
      const isNear =
        change.by === value.by &&
        change.kind !== 'invalidate' &&
        (change.kind !== 'pattern' || caches.length === 1)
      const until = isNear ? change.acknowledged : change.begun
      const older = value.kind === 'load' ? value.begun < until : value.acknowledged < change.begun
      if (older)
        violations.push(
          `${how}(${key}) at ${began} gave the ${value.kind} of ${value.begun}, before the ${change.kind} of ${change.begun} to ${change.acknowledged}`,
        )
    }
  }

  /** How a caller asks and waits, as options: most plainly and to the end, some leave, some are impatient. */
  const waiting = (): GetOrSetOptions => {
    const leaves = random()
    const leaver = new AbortController()
    if (leaves < 0.2) void step('a caller leaves').then(() => leaver.abort(new Error('left')))
    return {
      ...(leaves < 0.2 && { signal: leaver.signal }),
      ...(leaves > 0.8 && { timeouts: { soft: 5, hard: 20 } }),
      ...(random() < 0.1 && { forceRefresh: true }),
      ...(random() < 0.3 && { refreshAhead: 0.1 }),
      ...(random() < 0.1 && { skip: pick(['read', 'write', 'both'] as const) }),
      ...(random() < 0.2 && { errorTtl: 50 }),
    }
  }
  const isExpected = (error: Error): void => expect(error.message).toMatch(/left|ill|no value of '.' within/)

  const read = async (): Promise<void> => {
    const by = pick([...caches.keys()])
    const cache = caches[by]!
    const key = pick(keys)
    const began = ++time
    const tags = pick([[], [tagOf(key)], ['other']])
    const answer = cache.getOrSet<Value>(
      key,
      async ({ options }) => {
        const begun = ++time
        await step(`the loader of ${key}`)
        if (random() < 0.4) options.tags = [...tags, tagOf(key)]
        const value: Value = {
          key,
          kind: 'load',
          tags: options.tags ?? [],
          by,
          begun,
          acknowledged: Infinity,
        }
        if (random() < 0.25) throw new Error('the origin is ill')
        return value
      },
      { tags, ...waiting() },
    )
    await answer.then((value) => check(key, began, value, 'getOrSet'), isExpected)
  }

  const readMany = async (): Promise<void> => {
    const by = pick([...caches.keys()])
    const cache = caches[by]!
    const wanted = pick([keys, ['b', 'a'], ['c', 'b']])
    const began = ++time
    const tags = pick([[], ['first'], ['other']])
    const answer = cache.getOrSetMany<Value>(
      wanted,
      async (missing, { options }) => {
        const begun = ++time
        await step(`the loader of ${missing.join(', ')}`)
        if (random() < 0.4) options.tags = [...tags, 'rest']
        if (random() < 0.25) throw new Error('the origin is ill')
        const found = missing.filter(() => random() < 0.8)
        const valueOf = (key: string): Value => ({
          key,
          kind: 'load',
          tags: options.tags ?? [],
          by,
          begun,
          acknowledged: Infinity,
        })
        return new Map(found.map((key) => [key, valueOf(key)]))
      },
      { tags, ...waiting() },
    )
    await answer.then((values) => {
      for (const [key, value] of values) check(key, began, value, 'getOrSet')
    }, isExpected)
  }

  const look = async (): Promise<void> => {
    const key = pick(keys)
    const began = ++time
    check(key, began, await pick(caches).get<Value>(key), 'get')
  }

  const change = async (): Promise<void> => {
    const by = pick([...caches.keys()])
    const cache = caches[by]!
    const key = pick(keys)
    const one = (value: Value): boolean => value.key === key
    const begun = ++time
    const done = (covers: Change['covers'], value?: Value, softly = false): void => {
      changes.push({ kind, covers, softly, by, begun, acknowledged: ++time, ...(value && { value }) })
      if (value) value.acknowledged = time
    }
    const kind = pick(['set', 'delete', 'expire', 'invalidate', 'clear', 'pattern', 'many'])
    if (kind === 'set') {
      const value: Value = { key, kind: 'set', tags: [tagOf(key)], by, begun, acknowledged: Infinity }
      await cache.set(key, value, { tags: [tagOf(key)] })
      done(one, value)
    } else if (kind === 'delete') {
      await cache.delete(key)
      done(one)
    } else if (kind === 'expire') {
      await cache.expire(key)
      done(one, undefined, true)
    } else if (kind === 'invalidate') {
      const tag = pick([tagOf(key), tagOf(key), 'other'])
      await cache.invalidateTags([tag])
      done((value) => value.tags.includes(tag))
    } else if (kind === 'clear') {
      await cache.clear()
      done(() => true)
    } else if (kind === 'pattern') {
      await cache.clearPattern(key)
      done(one)
    } else {
      await cache.deleteMany(keys)
      done(() => true)
    }
  }

  const tasks = Array.from({ length: 14 }, (_, i) => async () => {
    await step(`task ${i}`)
    await pick([read, readMany, read, look, change])()
    await step(`task ${i} again`)
    await pick([read, readMany, look, change])()
  })
  await run(tasks, () => clock.advance(random() < 0.2 ? 400 : 7))
  return violations
}

type Place = (clock: FakeClock, order: Scheduler) => readonly Store[]

const places: Record<string, Place> = {
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

describe.each(Object.entries(places))(
  'a value that was changed while it loaded is never seen again: %s',
  (_, make) => {
    it.each(Array.from({ length: 20 }, (_, part) => part))(
      'a lot of interleavings, part %i',
      { timeout: 60_000 },
      async (part) => {
        for (let seed = part * each; seed < (part + 1) * each; seed++) {
          const clock = fakeClock()
          const order = scheduler(seed)
          const caches = make(clock, order).map((store) =>
            createCache({
              store,
              clock,
              random: order.random,
              ttl: 300,
              grace: '1h',
              errorTtl: 0,
              // A scheduled store is never late.
              timeouts: { store: '1h', load: '2h' },
              leaseTerm: '2h',
            }),
          )
          expect(await play(caches, order, clock), `seed ${seed}`).toEqual([])
          const idle = (): Promise<void> => clock.advance(10)
          for (const cache of caches) {
            await order.run([() => cache.drain()], idle)
            const explained = keys.map(
              (key) => async () => expect((await cache.explain(key)).loading).toBeUndefined(),
            )
            await order.run(explained, idle)
            expect(cache.stats().loading).toBe(0)
          }
          expect(clock.pending, `timers left by seed ${seed}`).toBe(0)
        }
      },
    )
  },
)
