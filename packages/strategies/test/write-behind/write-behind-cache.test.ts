import { Cache, type CacheError, type Journal } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate, mapStore, seededRandom, settle } from '@flow-cache/core/testing'
import { memoryJournal, WriteBehindCache, type WriteBehindOptions } from '@flow-cache/strategies'
import { describe, expect, it, onTestFinished } from 'vitest'
import { recordingOrigin } from './recording-origin.js'

function setUp(options: Partial<WriteBehindOptions<unknown>> & { many?: boolean } = {}) {
  const { many, ...rest } = options
  const clock = fakeClock()
  const origin = recordingOrigin(many === undefined ? {} : { many })
  const cache = new Cache({ store: mapStore(clock), clock, ttl: '1h' })
  const journal = memoryJournal({ clock })
  const behind = new WriteBehindCache<unknown>({
    cache,
    origin,
    journal,
    clock,
    random: seededRandom(1),
    ...rest,
  })
  onTestFinished(async () => {
    const closing = behind.close({ deadline: 0 })
    await clock.advance(0)
    await closing
    await cache.close()
    expect(clock.pending).toBe(0)
  })
  return { clock, origin, cache, journal, behind }
}

/** A minute in steps, each with time for what waits for promises: a pass over many keys takes many turns. */
async function minute(clock: FakeClock): Promise<void> {
  for (let step = 0; step < 240; step++) await clock.advance(250)
}

async function keepsAccount(behind: WriteBehindCache) {
  const stats = await behind.stats()
  const { accepted, applied, coalesced, pending, deadLettered, dropped } = stats
  expect(accepted).toBe(applied + coalesced + pending + deadLettered + dropped)
  return stats
}

describe('reading', () => {
  it('a value is readable at once and reaches the origin after flushInterval', async () => {
    const { clock, origin, behind } = setUp()
    await behind.set('a', 1)
    expect(await behind.get('a')).toBe(1)
    expect(origin.calls.read).toBe(0)
    await clock.advance(4_999)
    expect(origin.values.size).toBe(0)
    await clock.advance(1)
    expect(origin.values.get('a')).toBe(1)
    expect(await behind.get('a')).toBe(1)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 1, applied: 1 })
  })

  it('a pending value and a pending delete are readable after the cache has evicted the key', async () => {
    const { origin, cache, behind } = setUp()
    origin.values.set('a', 'old').set('b', 'old')
    await behind.set('a', 'new')
    await behind.delete('b')
    await cache.clear()
    expect(await behind.get('a')).toBe('new')
    expect(await behind.get('b')).toBe(undefined)
    expect([...(await behind.getMany(['a', 'b', 'c']))]).toEqual([['a', 'new']])
  })

  it('what is not pending comes from the cache, and from the origin once', async () => {
    const { origin, behind } = setUp()
    origin.values.set('a', 1).set('b', 2)
    expect(await behind.get('a')).toBe(1)
    expect(await behind.get('a')).toBe(1)
    expect(origin.calls.read).toBe(1)
    expect([...(await behind.getMany(['b', 'a']))]).toEqual([
      ['b', 2],
      ['a', 1],
    ])
    expect(origin.calls.read).toBe(2)
  })

  it('a read that began before a write does not bring the old value back', async () => {
    const { origin, behind } = setUp()
    const held = gate()
    const { read } = origin
    origin.values.set('a', 'old')
    Object.assign(origin, {
      async read(key: string) {
        const value = await read(key, {})
        await held.wait()
        return value
      },
    })
    const early = behind.get('a')
    await held.arrived
    await behind.set('a', 'new')
    await behind.flush()
    held.open()
    await early
    expect(await behind.get('a')).toBe('new')
  })

  it.each([undefined, null, 0, '', false, Number.NaN])('%s reads back as it was written', async (value) => {
    const { origin, behind } = setUp()
    await behind.set('a', value)
    expect(await behind.get('a')).toBe(value)
    await behind.flush()
    expect(origin.values.has('a')).toBe(true)
    expect(origin.values.get('a')).toBe(value)
  })
})

describe('writing', () => {
  it('a hundred writes of a key become one, the last', async () => {
    const { origin, behind } = setUp()
    for (let n = 1; n <= 100; n++) await behind.set('a', n)
    expect(await behind.flush()).toEqual({ flushed: 1, pending: 0, dead: 0 })
    expect(origin.seen.map(({ value }) => value)).toEqual([100])
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 100, applied: 1, coalesced: 99 })
  })

  it('a put and then a delete in one batch delete, a delete and then a put put', async () => {
    const { origin, behind } = setUp()
    origin.values.set('a', 'old').set('b', 'old')
    await behind.set('a', 1)
    await behind.delete('a')
    await behind.delete('b')
    await behind.set('b', 2)
    await behind.flush()
    expect([...origin.values]).toEqual([['b', 2]])
    expect(origin.seen.length).toBe(2)
  })

  it('puts go together, as many as maxBatch, and deletes alone', async () => {
    const { origin, behind } = setUp({ maxBatch: 10 })
    for (let n = 0; n < 25; n++) await behind.set(`k${n}`, n)
    await behind.flush()
    expect(origin.calls).toMatchObject({ writeMany: 3, write: 0, delete: 0 })
    await behind.delete('k0')
    await behind.delete('k1')
    await behind.flush()
    expect(origin.calls).toMatchObject({ writeMany: 3, write: 0, delete: 2 })
    expect(origin.values.size).toBe(23)
  })

  it('an origin without writeMany gets every put alone, no more at once than concurrency', async () => {
    const { origin, behind } = setUp({ many: false, concurrency: 3 })
    let now = 0
    let most = 0
    origin.before = async () => {
      most = Math.max(most, ++now)
      await settle()
      now--
    }
    for (let n = 0; n < 20; n++) await behind.set(`k${n}`, n)
    await behind.flush()
    expect(origin.calls.write).toBe(20)
    expect(most).toBe(3)
  })

  it('one write of a key is under way at a time, and what comes meanwhile follows it', async () => {
    const { origin, behind } = setUp()
    const held = gate()
    origin.before = ({ value }) => (value === 1 ? held.wait() : undefined)
    await behind.set('a', 1)
    const first = behind.flush()
    await held.arrived
    await behind.set('a', 2)
    const second = behind.flush()
    await settle()
    expect(origin.seen).toEqual([])
    expect(await behind.get('a')).toBe(2)
    held.open()
    await Promise.all([first, second])
    expect(origin.seen.map(({ value }) => value)).toEqual([1, 2])
    expect(origin.seen[1]!.sequence).toBeGreaterThan(origin.seen[0]!.sequence)
    expect(origin.mostForOneKey).toBe(1)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 2, applied: 1, coalesced: 1 })
  })

  it('flushes early when half of maxPending is pending', async () => {
    const { origin, clock, behind } = setUp({ maxPending: 100 })
    for (let n = 0; n < 60; n++) await behind.set(`k${n}`, n)
    await clock.advance(1)
    expect(origin.values.size).toBeGreaterThanOrEqual(48)
  })

  it('a value the journal refuses is ERR_VALUE, and nothing changes', async () => {
    const { behind } = setUp()
    await behind.set('a', 1)
    await expect(behind.set('a', { f: () => 1 })).rejects.toMatchObject({ code: 'ERR_VALUE' })
    expect(await behind.get('a')).toBe(1)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 1 })
  })

  it('a journal that fails rejects the write, and readers see what was before', async () => {
    const { behind, journal, cache } = setUp()
    await behind.set('a', 1)
    Object.assign(journal, { put: () => Promise.reject(new Error('disk')) })
    await expect(behind.set('a', 2)).rejects.toThrow('disk')
    await cache.clear()
    expect(await behind.get('a')).toBe(1)
  })
})

describe('an origin that fails', () => {
  it('a poison key blocks only itself, and becomes a dead letter with its error', async () => {
    const { origin, clock, behind } = setUp({ retry: { attempts: 3 } })
    origin.before = ({ key }) => {
      if (key === 'k13') throw new TypeError('refused')
    }
    for (let n = 0; n < 100; n++) await behind.set(`k${n}`, n)
    await behind.flush()
    expect(origin.values.size).toBe(99)
    // Halving: some 2 × log₂(100) calls, and not a hundred.
    expect(origin.calls.writeMany + origin.calls.write).toBeLessThan(16)
    await clock.advance(60_000)
    const [letter, ...others] = await behind.deadLetters()
    expect(others).toEqual([])
    expect(letter).toMatchObject({ key: 'k13', value: 13, attempts: 3, error: 'TypeError: refused' })
    expect(await behind.get('k13')).toBe(13)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 100, applied: 99, deadLettered: 1 })
  })

  it('an error that is not worth a retry makes a dead letter at once', async () => {
    const { origin, behind } = setUp({ retry: { retryable: (error) => !(error instanceof RangeError) } })
    origin.before = () => {
      throw new RangeError('never')
    }
    await behind.set('a', 1)
    expect(await behind.flush()).toEqual({ flushed: 0, pending: 0, dead: 1 })
  })

  it('dead letters are retried, dropped, and replaced by a newer write', async () => {
    const { origin, clock, behind } = setUp({ retry: { attempts: 1 } })
    let isRefusing = true
    origin.before = () => {
      if (isRefusing) throw new Error('no')
    }
    origin.values.set('dropped', 'old')
    for (const key of ['retried', 'dropped', 'replaced', 'left']) {
      await behind.set(key, key)
      await behind.flush()
      await clock.advance(60_000)
    }
    expect((await behind.deadLetters()).map(({ key }) => key)).toEqual([
      'retried',
      'dropped',
      'replaced',
      'left',
    ])
    isRefusing = false
    expect(await behind.retryDeadLetters(['retried'])).toBe(1)
    expect(await behind.dropDeadLetters(['dropped', 'unknown'])).toBe(1)
    await behind.set('replaced', 'newer')
    await behind.flush()
    expect(Object.fromEntries(origin.values)).toEqual({
      retried: 'retried',
      dropped: 'old',
      replaced: 'newer',
    })
    expect(await behind.get('dropped')).toBe('old')
    expect(await behind.get('left')).toBe('left')
    expect(await behind.deadLetters()).toMatchObject([{ key: 'left' }])
    expect(await keepsAccount(behind)).toMatchObject({
      accepted: 5,
      applied: 2,
      coalesced: 1,
      deadLettered: 1,
      dropped: 1,
    })
  })

  it('pauses between attempts double, are a random share, and end at maxDelay', async () => {
    const { origin, clock, behind } = setUp({
      retry: { attempts: 8, minDelay: 100, maxDelay: 1_000 },
      random: () => 0.5,
    })
    origin.before = () => {
      throw new Error('no')
    }
    const pauses: number[] = []
    behind.on('retry', ({ delayMs }) => pauses.push(delayMs))
    await behind.set('a', 1)
    await behind.flush()
    await clock.advance(60_000)
    expect(pauses).toEqual([50, 100, 200, 400, 500, 500, 500])
    expect(await behind.deadLetters()).toHaveLength(1)
  })

  it.each([true, false])(
    'an origin that is down for a minute loses nothing, is spared, and makes no dead letters (writeMany: %s)',
    async (many) => {
      const { origin, clock, behind } = setUp({ many })
      let isDown = true
      let tries = 0
      origin.before = () => {
        tries++
        if (isDown) throw new Error('ECONNREFUSED')
      }
      const told: string[] = []
      behind.on('originDown', () => told.push('down'))
      behind.on('originUp', () => told.push('up'))
      for (let n = 0; n < 500; n++) await behind.set(`k${n}`, n)
      await minute(clock)
      expect(tries).toBeLessThan(60)
      expect(told).toEqual(['down'])
      expect(await keepsAccount(behind)).toMatchObject({ pending: 500, deadLettered: 0 })
      isDown = false
      await minute(clock)
      expect(told).toEqual(['down', 'up'])
      expect(origin.values.size).toBe(500)
      expect(await keepsAccount(behind)).toMatchObject({ applied: 500, pending: 0 })
    },
  )

  it('a call that is never answered ends after timeout, and holds up nobody else', async () => {
    const { origin, clock, behind } = setUp({ timeout: '2s', many: false })
    let isHung = true
    origin.before = ({ key }) => (key === 'a' && isHung ? new Promise(() => {}) : undefined)
    for (const key of ['a', 'b', 'c']) await behind.set(key, key)
    await clock.advance(5_000)
    expect([...origin.values.keys()]).toEqual(['b', 'c'])
    isHung = false
    await clock.advance(10_000)
    expect(origin.values.get('a')).toBe('a')
  })

  it('an origin that fails one call in ten ends with every last value, each key in order', async () => {
    const { origin, clock, behind } = setUp({ maxBatch: 7 })
    const random = seededRandom(7)
    origin.before = async () => {
      await settle(Math.floor(random() * 5))
      if (random() < 0.1) throw new Error('one in ten')
    }
    const last = new Map<string, number | undefined>()
    for (let n = 0; n < 2_000; n++) {
      const key = `k${Math.floor(random() * 100)}`
      if (random() < 0.2) {
        await behind.delete(key)
        last.set(key, undefined)
      } else {
        await behind.set(key, n)
        last.set(key, n)
      }
      if (n % 20 === 0) await clock.advance(500)
    }
    await clock.advance(600_000)
    for (const [key, value] of last) expect(origin.values.get(key)).toBe(value)
    const applied = new Map<string, number>()
    for (const { key, sequence } of origin.seen) {
      expect(sequence).toBeGreaterThanOrEqual(applied.get(key) ?? 0)
      applied.set(key, sequence)
    }
    expect(origin.mostForOneKey).toBe(1)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 2_000, pending: 0, deadLettered: 0 })
  })
})

describe('when maxPending is reached', () => {
  const fill = async (behind: WriteBehindCache) => {
    await behind.set('a', 1)
    await behind.set('b', 1)
  }

  it('a write waits in order until there is room', async () => {
    const { origin, clock, behind } = setUp({ maxPending: 2 })
    const held = gate()
    origin.before = () => held.wait()
    await fill(behind)
    const order: string[] = []
    const waiting = ['c', 'd', 'a'].map((key) => behind.set(key, 2).then(() => order.push(key)))
    await clock.advance(1_000)
    expect(order).toEqual([])
    held.open()
    await clock.advance(1_000)
    await Promise.all(waiting)
    expect(order).toEqual(['c', 'd', 'a'])
    await clock.advance(10_000)
    expect(Object.fromEntries(origin.values)).toEqual({ a: 2, b: 1, c: 2, d: 2 })
    await keepsAccount(behind)
  })

  it('a write that has waited for blockTimeout is ERR_FULL and was not accepted', async () => {
    const { origin, clock, behind } = setUp({ maxPending: 2, blockTimeout: '3s' })
    origin.before = () => Promise.reject(new Error('down'))
    await fill(behind)
    const waiting = behind.set('c', 1)
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ERR_FULL', key: 'c' })
    await clock.advance(3_000)
    await refused
    expect(await behind.get('c')).toBe(undefined)
    expect(await keepsAccount(behind)).toMatchObject({ accepted: 2 })
  })

  it("'reject' refuses at once, but not a key that is pending already", async () => {
    const { behind } = setUp({ maxPending: 2, whenFull: 'reject' })
    const told: unknown[] = []
    behind.on('full', (event) => told.push(event))
    await fill(behind)
    await expect(behind.set('c', 1)).rejects.toMatchObject({ code: 'ERR_FULL' })
    await behind.set('b', 2)
    expect(told).toEqual([{ key: 'c', policy: 'reject' }])
  })

  it("'write-through' resolves when the origin has the value", async () => {
    const { origin, clock, behind } = setUp({ maxPending: 2, whenFull: 'write-through' })
    let isDown = true
    origin.before = () => {
      if (isDown) throw new Error('down')
    }
    await fill(behind)
    let isDone = false
    const through = behind.set('c', 1).then(() => (isDone = true))
    await clock.advance(2_000)
    expect(isDone).toBe(false)
    isDown = false
    await clock.advance(8_000)
    await through
    expect(origin.values.get('c')).toBe(1)
  })

  it('dead letters take room until they are dropped', async () => {
    const { origin, behind } = setUp({ maxPending: 2, whenFull: 'reject', retry: { attempts: 1 } })
    origin.before = () => Promise.reject(new Error('never'))
    await fill(behind)
    await behind.flush()
    expect(await behind.deadLetters()).toHaveLength(2)
    await expect(behind.set('c', 1)).rejects.toMatchObject({ code: 'ERR_FULL' })
    await behind.dropDeadLetters()
    await behind.set('c', 1)
  })
})

describe('closing', () => {
  it('drains and says so', async () => {
    const { origin, behind } = setUp()
    for (let n = 0; n < 250; n++) await behind.set(`k${n}`, n)
    expect(await behind.close()).toEqual({ flushed: 250, pending: 0, dead: 0 })
    expect(origin.values.size).toBe(250)
  })

  it('at the deadline says what is left, and aborts what is under way', async () => {
    const { origin, clock, behind } = setUp({ many: false, concurrency: 1 })
    let aborted = false
    const { write } = origin
    Object.assign(origin, {
      write: (key: string, value: unknown, call: { signal: AbortSignal }) => {
        if (key !== 'slow') return write(key, value, call)
        call.signal.addEventListener('abort', () => (aborted = true))
        return new Promise(() => {})
      },
    })
    for (const key of ['a', 'slow', 'b']) await behind.set(key, key)
    const closing = behind.close({ deadline: '1s' })
    await clock.advance(1_000)
    expect(await closing).toEqual({ flushed: 1, pending: 2, dead: 0 })
    expect(aborted).toBe(true)
  })

  it('refuses what comes after, and whoever waits for room', async () => {
    const { origin, clock, behind } = setUp({ maxPending: 1 })
    origin.before = () => new Promise(() => {})
    await behind.set('a', 1)
    const waiting = behind.set('b', 1)
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await settle()
    const closing = behind.close({ deadline: 10 })
    await refused
    await clock.advance(10)
    await closing
    await expect(behind.set('a', 1)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(behind.get('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(await behind.close()).toEqual(await closing)
  })

  it('a journal that fails during the drain is an error event, and close says so', async () => {
    const { behind, journal, clock } = setUp()
    const errors: string[] = []
    behind.on('error', ({ during }) => errors.push(during))
    await behind.set('a', 1)
    Object.assign(journal satisfies Journal, { claim: () => Promise.reject(new Error('disk')) })
    const closing = behind.close({ deadline: '1s' })
    await clock.advance(1_000)
    expect(await closing).toEqual({ flushed: 0, pending: 1, dead: 0 })
    expect(errors[0]).toBe('flush')
  })

  it.each(['claim', 'ack', 'counts', 'close'] as const)(
    'a journal whose %s never answers is waited for so long, and not for ever',
    async (method) => {
      const clock = fakeClock()
      const journal = memoryJournal({ clock })
      await using cache = new Cache({ store: mapStore(clock), clock })
      const behind = new WriteBehindCache({ cache, origin: recordingOrigin(), journal, clock })
      await behind.set('a', 1)
      Object.assign(journal, { [method]: () => new Promise(() => {}) })
      const closing = behind.close({ deadline: '1s' })
      const outcome = closing.then(
        ({ pending }) => pending,
        (error: CacheError) => error.code,
      )
      await clock.advance(1_000)
      await clock.advance(5_000)
      expect(await outcome).toBe(method === 'claim' || method === 'ack' ? 1 : 'ERR_JOURNAL')
    },
  )

  it('a journal that somebody else has closed is not asked until the deadline', async () => {
    const clock = fakeClock()
    const journal = memoryJournal({ clock })
    await using cache = new Cache({ store: mapStore(clock), clock })
    const behind = new WriteBehindCache({ cache, origin: recordingOrigin(), journal, clock })
    await behind.set('a', 1)
    await journal.close()
    await expect(behind.close({ deadline: Infinity })).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('events', () => {
  it('tells of accepting, applying and flushing, and a listener that throws disturbs nobody', async () => {
    const { behind } = setUp()
    const told: unknown[] = []
    for (const name of ['accept', 'apply', 'flush'] as const) {
      behind.on(name, (event) => {
        told.push([name, 'key' in event ? event.key : event])
        throw new Error('listener')
      })
    }
    const errors: string[] = []
    const stop = behind.on('error', ({ during }) => errors.push(during))
    await behind.set('a', 1)
    await behind.flush()
    expect(told).toEqual([
      ['accept', 'a'],
      ['apply', 'a'],
      ['flush', { flushed: 1, pending: 0, dead: 0 }],
    ])
    expect(errors).toEqual(["listener of 'accept'", "listener of 'apply'", "listener of 'flush'"])
    stop()
    await behind.set('a', 1)
    expect(errors).toHaveLength(3)
  })
})

it('what is no list of keys, no limit and no event is refused', async () => {
  const { behind } = setUp()
  const wrong = (value: unknown): never => value as never
  await expect(behind.getMany('abc')).rejects.toThrow('keys must be an iterable of keys, got string')
  await expect(behind.retryDeadLetters('abc')).rejects.toThrow(TypeError)
  await expect(behind.dropDeadLetters(wrong(5))).rejects.toThrow(TypeError)
  await expect(behind.deadLetters(-1)).rejects.toThrow(RangeError)
  expect(() => behind.on(wrong('accepted'), () => {})).toThrow("no event 'accepted'; there are accept, apply")
})

describe('options', () => {
  const cache = new Cache({ store: mapStore(fakeClock()) })
  const origin = recordingOrigin()
  it.each<[Record<string, unknown>, RegExp]>([
    [{ cache: undefined }, /cache must have the methods/],
    [{ origin: { read: () => 1 } }, /origin must have the methods write, delete/],
    [{ flushIntervall: 1 }, /unknown option 'flushIntervall'/],
    [{ flushInterval: -1 }, /flushInterval/],
    [{ maxBatch: 0 }, /maxBatch must be a whole number/],
    [{ maxPending: 1.5 }, /maxPending/],
    [{ whenFull: 'drop-oldest' }, /whenFull/],
    [{ timeout: '30s' }, /lease must be longer than timeout/],
    [{ timeout: 0 }, /timeout must be longer than 0/],
    [{ journal: null }, /journal must have the methods put/],
    [{ clock: { now: Date.now } }, /clock must have the methods setTimer/],
    [{ random: 1 }, /random must be a function/],
    [{ retry: { attempts: 0 } }, /retry.attempts/],
    [{ retry: { minDelay: 10, maxDelay: 5 } }, /retry.minDelay/],
    [{ retry: { tries: 5 } }, /unknown option 'tries'/],
  ])('%o is refused', (wrong, message) => {
    expect(() => new WriteBehindCache({ cache, origin, ...wrong })).toThrow(message)
  })
})
