import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cache, createCache, type LoadMany, type Store, systemClock } from '@flow-cache/core'
import { fakeClock, gate, mapStore, settle } from '@flow-cache/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CacheWarmer } from './cache-warmer.js'
import type { CacheWarmerOptions, Progress } from './options.js'

type Options = Omit<CacheWarmerOptions, 'cache'>

function setUp(options: Partial<Options> = {}, defaults: { readonly ttl?: string } = {}) {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, ttl: '10m', ...(defaults as object) })
  const asked: string[][] = []
  const loadMany: LoadMany<string> = (keys) => {
    asked.push([...keys])
    return keys.map((key) => `value of ${key}`)
  }
  const own = options.load === undefined ? { loadMany } : {}
  const warmer = new CacheWarmer({ cache, clock, random: () => 1, ...own, ...options })
  return { clock, cache, warmer, asked }
}

const keysTo = (n: number): string[] => Array.from({ length: n }, (_, i) => `k${i}`)

describe('warming', () => {
  it('loads what is not fresh, in batches, and skips the rest without loading it', async () => {
    const { cache, warmer, asked } = setUp({ batch: 4 })
    await cache.set('k2', 'kept')
    const report = await warmer.warm(keysTo(10))
    expect(report).toMatchObject({ done: 10, loaded: 9, skipped: 1, absent: 0, failed: 0, aborted: false })
    expect(asked.map((keys) => keys.length)).toEqual([3, 4, 2])
    expect(await cache.get('k2')).toBe('kept')
    expect(await cache.get('k9')).toBe('value of k9')
    expect(await warmer.warm(keysTo(10))).toMatchObject({ loaded: 0, skipped: 10 })
  })

  it('loads one by one with load', async () => {
    const asked: string[] = []
    const { cache, warmer } = setUp({ load: ({ key }) => (asked.push(key), key.toUpperCase()) })
    expect(await warmer.warm(new Set(['a', 'b', 'a']))).toMatchObject({ loaded: 2, total: 2 })
    expect(asked).toEqual(['a', 'b'])
    expect(await cache.get('b')).toBe('B')
  })

  it('takes no more of an endless iterable than it can ask for', async () => {
    let taken = 0
    const { warmer } = setUp({ batch: 10, concurrency: 2 })
    async function* endless() {
      for (;;) yield `k${taken++}`
    }
    const stop = new AbortController()
    const running = warmer.warm(endless(), {
      signal: stop.signal,
      onProgress: ({ done }) => done >= 50 && stop.abort(),
    })
    await settle()
    expect(taken).toBeGreaterThan(0)
    stop.abort()
    const report = await running
    expect(report.aborted).toBe(true)
    expect(taken - report.done).toBeLessThanOrEqual(30)
  })

  it('counts keys that the origin does not have', async () => {
    const { warmer } = setUp({
      loadMany: (keys) => new Map(keys.filter((key) => key !== 'k1').map((key) => [key, 1])),
    })
    expect(await warmer.warm(keysTo(3))).toMatchObject({ loaded: 2, absent: 1, failed: 0 })
  })

  it('has no more calls of the origin under way than concurrency allows', async () => {
    const { wait, open } = gate()
    let running = 0
    let most = 0
    const { warmer } = setUp({
      batch: 1,
      concurrency: 3,
      loadMany: async (keys) => {
        most = Math.max(most, ++running)
        await wait()
        running--
        return keys.map(() => 1)
      },
    })
    const warming = warmer.warm(keysTo(10))
    await settle()
    expect(running).toBe(3)
    open()
    expect(await warming).toMatchObject({ loaded: 10 })
    expect(most).toBe(3)
  })

  it('asks for the next keys while what came is put into the cache', async () => {
    const clock = fakeClock()
    const stored = gate()
    const store = mapStore(clock)
    const slow: Store = { ...store, set: async (key, entry) => (await stored.wait(), store.set(key, entry)) }
    const cache = createCache({ store: slow, clock, timeouts: { store: '1h', load: '2h' }, leaseTerm: '2h' })
    const asked: string[] = []
    const warmer = new CacheWarmer({
      cache,
      clock,
      batch: 1,
      concurrency: 1,
      loadMany: async (keys) => (asked.push(...keys), keys),
    })
    const running = warmer.warm(keysTo(5))
    await settle()
    // One is being put, one more waits for that, and no more pile up.
    expect(asked).toEqual(['k0', 'k1'])
    stored.open()
    expect(await running).toMatchObject({ loaded: 5 })
  })

  it('leaves the event loop its turns where all is fresh, so that a time-out ends an endless run', async () => {
    await using cache = createCache({ store: mapStore(systemClock) })
    await cache.set('k', 1)
    await using warmer = new CacheWarmer({ cache, load: () => 1 })
    function* endless() {
      for (;;) yield 'k'
    }
    const report = await warmer.warm(endless(), { signal: AbortSignal.timeout(50) })
    expect(report).toMatchObject({ aborted: true, loaded: 0, failed: 0 })
    expect(report.skipped).toBeGreaterThan(0)
  })

  it('ends when it is aborted, also while the iterable waits for its next key', async () => {
    const { warmer } = setUp({ batch: 1 })
    async function* stuck() {
      yield 'a'
      await new Promise(() => {})
    }
    const stop = new AbortController()
    const running = warmer.warm(stuck(), { signal: stop.signal })
    await settle()
    stop.abort()
    expect(await running).toMatchObject({ aborted: true, loaded: 1 })
    const closing = warmer.warm(stuck())
    await settle()
    await warmer.close()
    expect(await closing).toMatchObject({ aborted: true, skipped: 1 })
  })

  it('ends when it is aborted, also while another run has all the places at an origin that never answers', async () => {
    const { warmer } = setUp({ concurrency: 1, load: () => new Promise(() => {}) })
    const stuck = warmer.warm(['a'])
    const stop = new AbortController()
    const other = warmer.warm(['b'], { signal: stop.signal })
    await settle()
    stop.abort()
    expect(await other).toMatchObject({ aborted: true, done: 0 })
    await warmer.close()
    expect(await stuck).toMatchObject({ aborted: true, done: 0 })
  })

  it('waits for a load that somebody else has begun', async () => {
    const { cache, warmer, asked } = setUp()
    const { wait, open } = gate()
    const other = cache.getOrSet('k0', async () => (await wait(), 'theirs'))
    const warming = warmer.warm(['k0'])
    await settle()
    open()
    expect(await warming).toMatchObject({ loaded: 0, skipped: 1 })
    expect([asked, await other]).toEqual([[], 'theirs'])
  })

  it('loads what is stale, and tells of a failure though a stale value stands in for it', async () => {
    const clock = fakeClock()
    const cache = createCache({ store: mapStore(clock), clock, ttl: '1m', grace: '1h' })
    await cache.set('k', 'old')
    await clock.advance(60_000)
    const warmer = new CacheWarmer({
      cache,
      clock,
      load: () => Promise.reject<string>(new Error('down')),
      retry: { attempts: 1 },
    })
    const report = await warmer.warm(['k'])
    expect(report).toMatchObject({ loaded: 0, failed: 1 })
    expect(report.errors.get('k')).toMatchObject({ message: 'down' })
  })
})

describe('a key that fails', () => {
  it('is tried again, with longer and longer pauses, and then reported', async () => {
    const at: number[] = []
    const { clock, warmer } = setUp({
      retry: { attempts: 3, delay: 100 },
      load: () => {
        at.push(clock.now())
        throw new Error('down')
      },
    })
    const warming = warmer.warm(['k'])
    await clock.advance(1_000)
    const report = await warming
    expect(at.map((instant) => instant - at[0]!)).toEqual([0, 100, 300])
    expect([...report.errors]).toMatchObject([['k', { message: 'down' }]])
    expect(clock.pending).toBe(0)
  })

  it('stops none of those that are asked for with it', async () => {
    const { clock, cache, warmer } = setUp({
      batch: 16,
      retry: { attempts: 2, delay: 1 },
      loadMany: (keys) => {
        if (keys.includes('k5') || keys.includes('k6')) throw new Error('bad row')
        return keys.map(() => 1)
      },
    })
    const warming = warmer.warm(keysTo(40))
    await clock.advance(10_000)
    const report = await warming
    expect(report).toMatchObject({ done: 40, loaded: 38, failed: 2 })
    expect([...report.errors.keys()].toSorted()).toEqual(['k5', 'k6'])
    expect(await cache.get('k7')).toBe(1)
  })

  it('that comes back is loaded by a later try', async () => {
    let tries = 0
    const { clock, warmer } = setUp({
      load: () => {
        if (++tries < 3) throw new Error('not yet')
        return 'v'
      },
    })
    const warming = warmer.warm(['k'])
    await clock.advance(10_000)
    expect(await warming).toMatchObject({ loaded: 1, failed: 0 })
  })

  it('in an iterable ends the run with the iterable’s error, after what was under way', async () => {
    const { warmer, asked } = setUp({ batch: 2 })
    function* broken() {
      yield 'a'
      yield 'b'
      throw new Error('cursor lost')
    }
    await expect(warmer.warm(broken())).rejects.toThrow('cursor lost')
    expect(asked).toEqual([['a', 'b']])
  })

  it('for being empty stops nobody else’s', async () => {
    const { cache, warmer } = setUp({ batch: 2 })
    const report = await warmer.warm(['a', '', 'b', '', '', 'c'])
    expect(report).toMatchObject({ done: 6, loaded: 3, failed: 3 })
    expect([...report.errors]).toMatchObject([['', { message: "a key must be a non-empty string, got ''" }]])
    expect(await cache.get('c')).toBe('value of c')
  })

  it.each([
    ['nothing', () => undefined],
    ['too few values', () => ['one']],
    ['no list', () => ({ a: 1 })],
  ])('because loadMany answers with %s counts once, and what is fresh is skipped', async (_, loadMany) => {
    const { cache, warmer } = setUp({ loadMany: loadMany as never })
    await cache.set('fresh', 1)
    expect(await warmer.warm(['a', 'fresh', 'b', 'c'])).toMatchObject({
      done: 4,
      loaded: 0,
      skipped: 1,
      failed: 3,
    })
  })

  it.each([1, 2, 3])('because its value cannot be kept counts once, with %i tries', async (attempts) => {
    const { clock, cache, warmer } = setUp({
      retry: { attempts, delay: 1 },
      loadMany: (keys) =>
        new Map(keys.filter((key) => key !== 'k9').map((key) => [key, key === 'k5' ? () => 1 : key])),
      options: { copy: 'clone' },
    })
    await cache.set('k2', 'fresh')
    const warming = warmer.warm(keysTo(10))
    await clock.advance(10_000)
    const report = await warming
    expect(report).toMatchObject({ done: 10, loaded: 7, skipped: 1, absent: 1, failed: 1 })
    expect([...report.errors.keys()]).toEqual(['k5'])
    expect(await cache.get('k6')).toBe('k6')
  })

  it('because its value cannot be kept counts once with load, too', async () => {
    const { clock, warmer } = setUp({
      load: ({ key }) => (key === 'k1' ? () => 1 : key),
      options: { copy: 'clone' },
    })
    const warming = warmer.warm(keysTo(3))
    await clock.advance(10_000)
    expect(await warming).toMatchObject({ done: 3, loaded: 2, skipped: 0, failed: 1 })
  })

  it('to others, who load it, does not count those as skipped that came with it', async () => {
    const { clock, cache, warmer } = setUp({ retry: { attempts: 2, delay: 1 } })
    const hold = gate()
    const theirs = cache.getOrSet('k1', async () => {
      await hold.wait()
      throw new Error('theirs')
    })
    const warming = warmer.warm(keysTo(4))
    await settle()
    hold.open()
    await expect(theirs).rejects.toThrow('theirs')
    await clock.advance(10_000)
    expect(await warming).toMatchObject({ done: 4, loaded: 4, skipped: 0, failed: 0 })
  })
})

describe('the pace', () => {
  it('keeps to the rate, and does not count what is fresh', async () => {
    const { clock, cache, warmer, asked } = setUp({ batch: 10, concurrency: 1, rate: 100 })
    await cache.setMany(keysTo(50).map((key) => [key, 'kept']))
    const warming = warmer.warm(keysTo(100))
    await settle(1_000)
    expect(asked.flat()).toHaveLength(10)
    await clock.advance(200)
    expect(asked.flat()).toHaveLength(30)
    await clock.advance(1_000)
    expect(await warming).toMatchObject({ loaded: 50, skipped: 50 })
  })

  it('asks for fewer keys at once where they would wait long for their turn', async () => {
    const { clock, warmer, asked } = setUp({ rate: 20 })
    const warming = warmer.warm(keysTo(20))
    await clock.advance(10_000)
    expect(await warming).toMatchObject({ loaded: 20 })
    expect(asked.map((keys) => keys.length)).toEqual([5, 5, 5, 5])
  })

  it('halves the calls under way when the origin slows down, and takes them up again', async () => {
    let ms = 10
    let running = 0
    let most = 0
    const { clock, warmer } = setUp({
      batch: 1,
      concurrency: 8,
      loadMany: async (keys) => {
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => clock.setTimer(resolve, ms, true))
        running--
        return keys.map(() => 1)
      },
    })
    const warming = warmer.warm(keysTo(2_000))
    const mostIn = async (time: number): Promise<number> => {
      most = 0
      await clock.advance(time)
      return most
    }
    expect(await mostIn(200)).toBe(8)
    ms = 100
    await clock.advance(1_000)
    expect(await mostIn(500)).toBeLessThanOrEqual(2)
    ms = 10
    await clock.advance(2_000)
    expect(await mostIn(200)).toBe(8)
    await clock.advance(60_000)
    expect(await warming).toMatchObject({ loaded: 2_000 })
  })
})

describe('progress', () => {
  it('tells what is done, how fast, and how long it will take', async () => {
    const told: Progress[] = []
    const { clock, warmer } = setUp({ batch: 10, concurrency: 1, rate: 100 })
    const warming = warmer.warm(keysTo(40), { onProgress: (progress) => told.push(progress) })
    await clock.advance(1_000)
    const report = await warming
    expect(told.at(-1)).toMatchObject({ done: 40, loaded: 40, total: 40, leftMs: 0 })
    const half = told.find(({ done }) => done === 20)!
    expect(half.rate).toBeCloseTo(200, -2)
    expect(half.leftMs).toBeGreaterThan(0)
    expect(report.ms).toBe(300)
  })

  it('that throws disturbs nothing', async () => {
    const { warmer } = setUp()
    const onProgress = (): never => {
      throw new Error('no terminal')
    }
    expect(await warmer.warm(['k'], { onProgress })).toMatchObject({ loaded: 1 })
  })
})

describe('analytics', () => {
  it('name the keys to warm, of the cache’s own namespace', async () => {
    const { clock, cache, asked } = setUp()
    const shop = cache.namespace('shop')
    const warmer = new CacheWarmer({
      cache: shop,
      clock,
      loadMany: (keys) => (asked.push([...keys]), keys.map(() => 1)),
    })
    const hot = ['a', 'b', 'c'].map((key) => ({ key, namespace: 'shop' }))
    const analytics = { topKeys: (limit: number) => [{ key: 'x', namespace: '' }, ...hot].slice(0, limit) }
    expect(await warmer.warmFromAnalytics(analytics, { top: 3 })).toMatchObject({ loaded: 2 })
    expect(asked).toEqual([['a', 'b']])
    await expect(warmer.warmFromAnalytics({} as never)).rejects.toThrow('analytics must have topKeys')
  })
})

describe('a snapshot', () => {
  function fileIn(): string {
    const folder = mkdtempSync(join(tmpdir(), 'warmer-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    return join(folder, 'hot.json')
  }

  it('brings hot keys back for the time they had left', async () => {
    const file = fileIn()
    const { clock, cache, warmer } = setUp({ batch: 1 })
    await cache.set('short', 1, { ttl: '1m' })
    await cache.set('long', 1, { ttl: '1h' })
    await cache.set('for ever', 1, { ttl: Infinity })
    await cache.set('over', 1, { ttl: '1s' })
    expect(await warmer.snapshot(file, ['short', 'long', 'for ever', 'over', 'absent'])).toBe(4)
    await clock.advance(30_000)
    const after = createCache({ store: mapStore(clock), clock, ttl: '10m' })
    const again = new CacheWarmer({ cache: after, clock, load: ({ key }) => key })
    expect(await again.warmFromSnapshot(file)).toMatchObject({ loaded: 3, total: 3 })
    expect(await after.getEntry('short')).toMatchObject({ value: 'short', ttlMs: 30_000 })
    expect(await after.getEntry('long')).toMatchObject({ ttlMs: 3_570_000 })
    expect(await after.getEntry('for ever')).toMatchObject({ ttlMs: 600_000 })
    expect(await after.has('over')).toBe(false)
  })

  it('that is damaged at any place, cut off, foreign or missing is a clear error, and loads nothing', async () => {
    const file = fileIn()
    const { cache, warmer, asked } = setUp()
    await cache.setMany(keysTo(5).map((key) => [key, 1]))
    await warmer.snapshot(file, keysTo(5))
    const whole = readFileSync(file)
    const refused = async (bytes: Buffer | string, message: RegExp): Promise<void> => {
      writeFileSync(file, bytes)
      const failing = warmer.warmFromSnapshot(file)
      await expect(failing).rejects.toMatchObject({
        code: 'ERR_SNAPSHOT',
        message: expect.stringMatching(message) as string,
      })
    }
    for (let length = 0; length < whole.length; length += 7)
      await refused(whole.subarray(0, length), /is no snapshot|is damaged/)
    for (let at = 0; at < whole.length; at += 5) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1
      await refused(bytes, /is no snapshot|is damaged|has the version|holds keys/)
    }
    await refused('{"format":"something else"}', /is no snapshot of keys$/)
    await refused('null', /is no snapshot of keys$/)
    rmSync(file)
    await expect(warmer.warmFromSnapshot(file)).rejects.toMatchObject({ code: 'ERR_SNAPSHOT' })
    expect(asked).toEqual([])
  })

  it('takes any key, half a character too', async () => {
    const file = fileIn()
    const { cache, warmer } = setUp()
    await cache.setMany([
      ['\ud800', 1],
      ['good', 1],
    ])
    expect(await warmer.snapshot(file, ['\ud800', 'good'])).toBe(2)
    await cache.clear()
    expect(await warmer.warmFromSnapshot(file)).toMatchObject({ loaded: 2 })
    expect(await cache.get('\ud800')).toBe('value of \ud800')
  })

  it('of another namespace is refused', async () => {
    const file = fileIn()
    const { cache, warmer } = setUp()
    await warmer.snapshot(file, [])
    const other = new CacheWarmer({ cache: cache.namespace('other'), load: () => 1 })
    await expect(other.warmFromSnapshot(file)).rejects.toThrow(
      "holds keys of the namespace '', and the cache is 'other'",
    )
  })
})

describe('a schedule', () => {
  it('warms at each interval, asks for the keys anew, and ends with close', async () => {
    const { clock, warmer, asked } = setUp({}, { ttl: '1ms' })
    let round = 0
    const schedule = warmer.schedule('10m', () => [`round ${++round}`])
    expect(schedule.next).toEqual(new Date(clock.now() + 600_000))
    await clock.advance(1_800_000)
    expect(asked).toEqual([['round 1'], ['round 2'], ['round 3']])
    expect(schedule.last).toMatchObject({ loaded: 1 })
    await warmer.close()
    expect(schedule.next).toBeUndefined()
    expect(clock.pending).toBe(0)
    await clock.advance(3_600_000)
    expect(round).toBe(3)
  })

  it('follows a cron expression', async () => {
    const { clock, warmer, asked } = setUp()
    const schedule = warmer.schedule('0 4 * * *', ['k'])
    const next = schedule.next!
    expect([next.getHours(), next.getMinutes(), next.getSeconds()]).toEqual([4, 0, 0])
    expect(next.getTime() - clock.now()).toBeLessThanOrEqual(25 * 3_600_000)
    await clock.advance(next.getTime() - clock.now())
    expect(asked).toEqual([['k']])
    expect(schedule.next!.getTime()).toBeGreaterThan(next.getTime())
    await warmer.close()
  })

  it.each([
    [
      '0 4 * *',
      "(minute, hour, day, month, weekday) or an interval such as '10m', got '0 4 * *', which has 4 fields",
    ],
    ['0 25 * * *', "got '0 25 * * *'"],
    ['0 0 31 2 *', "when must be a time that comes, got '0 0 31 2 *'"],
    ['', 'when must be'],
  ])('at %j is refused with what it must be', (when, message) => {
    const { clock, warmer } = setUp()
    expect(() => warmer.schedule(when, ['k'])).toThrow(message)
    expect(clock.pending).toBe(0)
  })

  it('never begins a run while the one before is under way', async () => {
    const { wait, open } = gate()
    let runs = 0
    const { clock, warmer } = setUp({ load: async () => (runs++, await wait(), 1) })
    const schedule = warmer.schedule('1m', () => [`k${runs}`])
    await clock.advance(180_000)
    expect([runs, schedule.running, schedule.missed]).toEqual([1, true, 2])
    open()
    await settle()
    expect(schedule.running).toBe(false)
    await warmer.close()
  })

  it('whose keys cannot be had keeps the error, and goes on', async () => {
    const { clock, warmer } = setUp()
    let asked = 0
    const schedule = warmer.schedule('1m', () => {
      if (++asked === 1) throw new Error('no list')
      return ['k']
    })
    await clock.advance(60_000)
    expect(schedule.last).toMatchObject({ error: { message: 'no list' } })
    await clock.advance(60_000)
    expect(schedule.last).toMatchObject({ loaded: 1 })
    await warmer.close()
  })

  it.each([['61 * * * *'], ['5 minutes'], [0], [-1], ['']])('%j is refused', (when) => {
    const { warmer } = setUp()
    expect(() => warmer.schedule(when, [])).toThrow(/when must/)
  })
})

describe('close', () => {
  it('aborts the runs under way and leaves the cache open', async () => {
    const { clock, cache, warmer } = setUp({
      load: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    const warming = warmer.warm(keysTo(10))
    await settle()
    await warmer.close()
    expect(await warming).toMatchObject({ aborted: true, failed: 0 })
    expect(clock.pending).toBe(0)
    await expect(warmer.warm([])).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(() => warmer.schedule('1m', [])).toThrow('the warmer is closed')
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
  })
})

describe('what cannot be meant is refused', () => {
  const cache = {} as Cache
  const { cache: real } = setUp()
  const load = (): number => 1
  it.each([
    [{ cache: real }, 'give one of load and loadMany'],
    [{ cache: real, load, loadMany: () => [] }, 'give one of load and loadMany'],
    [{ cache, load }, 'cache must be a Cache'],
    [{ cache: real, load: 1 }, 'load must be a function'],
    [{ cache: real, load, concurrency: 0 }, 'concurrency must be a whole number from 1, got 0'],
    [{ cache: real, load, rate: -1 }, 'rate must be above 0, got -1'],
    [{ cache: real, loadMany: load, batch: 1.5 }, 'batch must be a whole number'],
    [{ cache: real, load, batch: 0 }, 'batch must be a whole number from 1, got 0'],
    [{ cache: real, load, retry: { attempts: 0 } }, 'retry.attempts must be'],
    [{ cache: real, load, retry: { delay: '1 day' } }, 'retry.delay must be'],
    [{ cache: real, load, retries: 1 }, "unknown option 'retries'"],
    [{ cache: real, load, options: { tll: 1 } }, "unknown option 'tll'"],
    [{ cache: real, load, clock: {} }, 'clock.now must be a function'],
    [{ cache: real, load, clock: { now: () => 0 } }, 'clock.setTimer must be a function'],
    [{ cache: real, load, random: 1 }, 'random must be a function'],
    [undefined, "CacheWarmer's options must be an object"],
  ])('%#: %s', (options, message) => {
    expect(() => new CacheWarmer(options as never)).toThrow(message)
  })

  it('keys that are none are refused, before anything is loaded', async () => {
    const { warmer, asked } = setUp({ batch: 1 })
    for (const keys of ['abc', 1, null, {}]) {
      await expect(warmer.warm(keys as never)).rejects.toThrow('keys must be an iterable')
      expect(() => warmer.schedule('1h', keys as never)).toThrow('keys must be an iterable')
    }
    for (const key of [1, null, 1n, { key: 'a' }]) {
      await expect(warmer.warm([key] as never)).rejects.toThrow('a key must be a non-empty string')
    }
    expect(asked).toEqual([])
  })

  it.each([
    [null, 'options must be an object'],
    [{ sginal: 1 }, "unknown option 'sginal' in options"],
    [{ signal: 1 }, 'signal must be an AbortSignal'],
    [{ onProgress: 1 }, 'onProgress must be a function'],
    [{ total: Number.NaN }, 'total must be a number from 0, got NaN'],
    [{ total: '3' }, 'total must be a number, got string'],
  ])('options of a run: %o', async (options, message) => {
    const { warmer } = setUp()
    await expect(warmer.warm(['a'], options as never)).rejects.toThrow(message)
    await expect(warmer.warmFromAnalytics({ topKeys: () => [] }, options as never)).rejects.toThrow(message)
    if (options !== null) expect(() => warmer.schedule('1h', [], options as never)).toThrow(message)
  })

  it('a snapshot of what is neither keys nor analytics is refused, and one of endless keys ends', async () => {
    const { warmer } = setUp()
    for (const from of [null, 'ab', 1, {}]) {
      await expect(warmer.snapshot('unused', from as never)).rejects.toThrow('analytics must have topKeys')
    }
    await expect(warmer.snapshot('unused', [], { top: 0 })).rejects.toThrow('top must be a whole number')
    let taken = 0
    function* endless() {
      for (;;) yield `k${taken++}`
    }
    const folder = mkdtempSync(join(tmpdir(), 'flow-cache-snapshot-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    expect(await warmer.snapshot(join(folder, 'hot.json'), endless(), { top: 5 })).toBe(0)
    expect(taken).toBe(5)
  })
})
