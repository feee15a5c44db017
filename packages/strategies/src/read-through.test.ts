import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore, settle } from '@flow-cache/core/testing'
import { CacheAside, ReadThrough } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'
import { table } from '../test/table.js'

function setUp(
  options: { maxBatch?: number; gatherFor?: number; negativeTtl?: number; grace?: number } = {},
) {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, ttl: 1_000 })
  const origin = table({ a: 'A', b: 'B', c: 'C' })
  return { clock, cache, origin, through: new ReadThrough({ cache, origin, clock, ...options }) }
}

describe('CacheAside', () => {
  it('reads from the origin once, and from the cache from then on', async () => {
    const { cache, origin } = setUp()
    const aside = new CacheAside({ cache, origin })
    expect([await aside.get('a'), await aside.get('a')]).toEqual(['A', 'A'])
    expect(origin.asked).toEqual(['read a'])
    expect((await aside.getEntry('a'))?.value).toBe('A')
  })

  it('reads again what was deleted or expired, and leaves the origin alone', async () => {
    const { cache, origin } = setUp()
    const aside = new CacheAside({ cache, origin })
    await aside.get('a')
    expect(await aside.delete('a')).toBe(true)
    await aside.get('a')
    expect(await aside.expire('a')).toBe(true)
    await aside.get('a')
    expect(await aside.deleteMany(['a', 'nothing'])).toBe(1)
    expect(origin.asked).toEqual(['read a', 'read a', 'read a'])
  })

  it('does not keep what it read before the entry was deleted', async () => {
    const { cache, origin } = setUp()
    const aside = new CacheAside({ cache, origin })
    const hold = gate()
    origin.read = async () => {
      const value = origin.rows.get('a')
      await hold.wait()
      return value
    }
    const before = aside.get('a')
    await hold.arrived
    origin.rows.set('a', 'new')
    await aside.delete('a')
    hold.open()
    expect([await before, await aside.get('a'), await cache.get('a')]).toEqual(['A', 'new', 'new'])
  })

  it('has the options of any read, and the signal of a caller ends its wait', async () => {
    const { clock, cache, origin } = setUp()
    const aside = new CacheAside({ cache, origin, ttl: 10 })
    await aside.get('a')
    await clock.advance(11)
    await aside.get('a')
    expect(origin.asked).toHaveLength(2)
    await expect(aside.get('b', { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow('left')
  })
})

describe('ReadThrough', () => {
  it('lets readMany take keys off the list it was given', async () => {
    const cache = createCache({ store: mapStore(fakeClock()) })
    const readMany = async (keys: readonly string[]): Promise<Map<string, string>> =>
      new Map((keys as string[]).splice(0).map((key) => [key, key.toUpperCase()]))
    const through = new ReadThrough<string>({ cache, origin: { readMany } })
    expect(await through.get('a')).toBe('A')
    expect([...(await through.getMany(['b', 'c']))]).toEqual([
      ['b', 'B'],
      ['c', 'C'],
    ])
  })

  it('gathers the misses of one tick into one readMany, and loads a key once', async () => {
    const { origin, through } = setUp()
    const values = await Promise.all([
      through.get('a'),
      through.get('b'),
      through.get('a'),
      through.get('none'),
    ])
    expect(values).toEqual(['A', 'B', 'A', undefined])
    expect(origin.asked).toEqual(['readMany a b none'])
    expect(await through.get('b')).toBe('B')
    expect(origin.asked).toHaveLength(1)
  })

  it('lets getMany go with the single reads of its tick, and leaves out what does not exist', async () => {
    const { origin, through } = setUp()
    const [one, many] = await Promise.all([through.get('c'), through.getMany(['b', 'none', 'a'])])
    expect(one).toBe('C')
    expect([...many]).toEqual([
      ['b', 'B'],
      ['a', 'A'],
    ])
    expect(origin.asked).toHaveLength(1)
    expect(await through.getMany(['none'])).toEqual(new Map())
    expect(origin.asked).toHaveLength(1)
  })

  it('asks for no more than maxBatch keys at once', async () => {
    const { origin, through } = setUp({ maxBatch: 2 })
    await through.getMany(['a', 'b', 'c'])
    expect(origin.asked).toEqual(['readMany a b', 'readMany c'])
  })

  it('fails every key of a batch that fails, and none of another', async () => {
    const { origin, through } = setUp({ maxBatch: 1 })
    origin.before = (what) => {
      if (what === 'readMany b') throw new Error('b is ill')
    }
    const [a, b, again] = await Promise.allSettled([through.get('a'), through.get('b'), through.get('b')])
    expect(a).toMatchObject({ value: 'A' })
    expect([b, again]).toMatchObject([
      { reason: { message: 'b is ill' } },
      { reason: { message: 'b is ill' } },
    ])
    origin.before = () => {}
    expect(await through.get('b')).toBe('B')
  })

  it('refuses an answer that is no Map', async () => {
    const { cache } = setUp()
    const through = new ReadThrough<string>({ cache, origin: { readMany: () => ['A'] as never } })
    await expect(through.get('a')).rejects.toMatchObject({ code: 'ERR_LOADER_RESULT' })
  })

  it('keeps that a key does not exist for negativeTtl', async () => {
    const { clock, origin, through } = setUp({ negativeTtl: 50 })
    await through.get('none')
    await clock.advance(49)
    await through.get('none')
    expect(origin.asked).toHaveLength(1)
    await clock.advance(2)
    await through.get('none')
    expect(origin.asked).toHaveLength(2)
  })

  it('waits for gatherFor where it is given', async () => {
    const { clock, origin, through } = setUp({ gatherFor: 10 })
    const first = through.get('a')
    await clock.advance(5)
    const second = through.get('b')
    await clock.advance(5)
    expect(await Promise.all([first, second])).toEqual(['A', 'B'])
    expect(origin.asked).toEqual(['readMany a b'])
  })

  it('aborts the call when nobody waits for any of its keys, and not before', async () => {
    const { cache } = setUp()
    let seen: AbortSignal | undefined
    const origin = {
      readMany: (_: readonly string[], { signal }: { signal?: AbortSignal }) => {
        seen = signal
        return new Promise<Map<string, string>>(() => {})
      },
    }
    const through = new ReadThrough<string>({ cache, origin })
    const leavers = [new AbortController(), new AbortController()]
    const waits = leavers.map(({ signal }, i) => through.get(`key ${i}`, { signal }).catch(() => 'left'))
    await settle()
    leavers[0]!.abort()
    await settle()
    expect(seen?.aborted).toBe(false)
    leavers[1]!.abort()
    expect(await Promise.all(waits)).toEqual(['left', 'left'])
    await settle()
    expect(seen?.aborted).toBe(true)
  })

  it('does not ask for a key whose callers left before the call', async () => {
    const { clock, origin, through } = setUp({ gatherFor: 10 })
    const leaver = new AbortController()
    const left = through.get('a', { signal: leaver.signal }).catch((error: Error) => error.message)
    const stays = through.get('b')
    await clock.advance(1)
    leaver.abort(new Error('left'))
    await clock.advance(10)
    expect([await left, await stays]).toEqual(['left', 'B'])
    expect(origin.asked).toEqual(['readMany b'])
  })
})

describe('what a strategy is made with', () => {
  const cache = createCache({ store: mapStore(fakeClock()) })
  it('names the method that the origin lacks', () => {
    expect(() => new CacheAside({ cache, origin: {} as never })).toThrow(/CacheAside needs .* read$/)
    expect(() => new ReadThrough({ cache, origin: { read: () => 1 } as never })).toThrow(/readMany/)
    expect(() => new ReadThrough({ cache, origin: undefined as never })).toThrow(TypeError)
  })
  it('refuses what is no cache, options that nobody knows and numbers out of range', () => {
    const origin = table()
    expect(() => new CacheAside({ cache: {} as never, origin })).toThrow(/cache must be a Cache/)
    expect(() => new CacheAside(undefined as never)).toThrow(TypeError)
    expect(() => new CacheAside({ cache, origin, tll: 1 } as never)).toThrow(/unknown option 'tll'/)
    expect(() => new CacheAside({ cache, origin, ttl: -1 })).toThrow(/ttl/)
    expect(() => new ReadThrough({ cache, origin, maxBatch: 0 })).toThrow(/maxBatch/)
    expect(() => new ReadThrough({ cache, origin, gatherFor: -1 })).toThrow(/gatherFor/)
  })
})
