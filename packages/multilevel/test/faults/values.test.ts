import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, expect, it, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { client, member, pair, patient, until } from '../fleet.js'

const absent: [string, unknown][] = [
  ['0', 0],
  ['-0', -0],
  ['the empty text', ''],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['an empty list', []],
  ['an empty object', {}],
  ['undefined', undefined],
]

describe('fault 9: absent is not the same as falsy', { timeout: 30_000 }, () => {
  it.each(absent)('%s is loaded once among processes, and is a hit in every tier', async (_, value) => {
    const { a, b } = pair(redisUrl())
    const load = vi.fn(() => value)
    expect(await a.getOrSet('k', load)).toEqual(value)
    expect(await b.getOrSet('k', load)).toEqual(value)
    expect(await b.getOrSet('k', load)).toEqual(value)
    expect(load).toHaveBeenCalledTimes(1)
    expect(await b.has('k')).toBe(true)
    expect(Object.is(await b.get('k'), value) || typeof value === 'object').toBe(true)
    const all = await a.getMany(['k', 'none'])
    expect([all.has('k'), all.has('none')]).toEqual([true, false])
    await a.set('s', value)
    expect(await b.has('s')).toBe(true)
    expect(await b.getMany(['s'])).toEqual(new Map([['s', value]]))
  })
})

describe('G6: what you put in is what you get out', { timeout: 30_000 }, () => {
  const value = {
    date: new Date(1_700_000_000_000),
    map: new Map<unknown, unknown>([
      ['a', 1],
      [{ deep: true }, new Set([1, 'x', undefined])],
    ]),
    big: 2n ** 80n,
    nothing: undefined,
    numbers: [Number.NaN, -0, Infinity, -Infinity, 1e300],
    bytes: new Uint8Array([1, 2, 255]),
    floats: new Float64Array([0.1, Number.NaN]),
    buffer: Buffer.from('bytes'),
    text: 'half a pair: \ud83d',
  }

  it('from memory, from Redis, and from another process', async () => {
    const { a, b } = pair(redisUrl())
    await a.set('k', value)
    expect(await a.get('k')).toStrictEqual(value)
    expect(await b.get('k')).toStrictEqual(value)
    expect(await b.getOrSet('k', () => 'loaded')).toStrictEqual(value)
  })

  it.each<[string, unknown, string]>([
    ['a function', { user: { load: () => 1 } }, 'user.load'],
    ['a symbol', [1, Symbol('x')], '[1]'],
    ['an instance of a class', { list: [{ url: new URL('http://x') }] }, 'list[0].url'],
  ])('%s is refused where it is set, with the path', async (_, bad, path) => {
    const { a, b } = pair(redisUrl())
    await a.set('k', 'before')
    const error = await a.set('k', bad).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_VALUE' })
    expect((error as Error).message).toContain(path)
    // A load is answered all the same, and its value is not kept.
    expect(await b.getOrSet('l', () => bad).catch((reason: unknown) => reason)).toBeDefined()
  })
})

describe('fault 15: one object for many', { timeout: 30_000 }, () => {
  it.each(['clone', 'freeze'] as const)(
    'copy: %s holds for values from memory and from Redis',
    async (copy) => {
      const { a, b } = pair(redisUrl(), { copy })
      await a.set('k', { n: 1 })
      const fromRedis = (await b.get<{ n: number }>('k'))!
      const fromMemory = (await b.get<{ n: number }>('k'))!
      for (const mine of [fromRedis, fromMemory]) {
        if (copy === 'freeze') expect(() => (mine.n = 2)).toThrow(TypeError)
        else mine.n = 2
      }
      expect(await b.get('k')).toEqual({ n: 1 })
      expect(await a.get('k')).toEqual({ n: 1 })
    },
  )

  it('what is counted adds up', async () => {
    const { a, b } = pair(redisUrl())
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 2_000; i++) calls.push([a, b][i % 2]!.getOrSet(`k${i % 50}`, () => i))
    await Promise.all(calls)
    const [one, two] = [a.stats(), b.stats()]
    expect(one.hits + one.misses + two.hits + two.misses).toBe(2_000)
    expect(one.loads + two.loads).toBe(50)
    expect(one.errors + two.errors).toBe(0)
  })
})

describe('fault 10: tags', { timeout: 30_000 }, () => {
  it('a marker that was lost makes its entries misses, in every process that learns of it', async () => {
    const { a, b, prefix } = pair(redisUrl())
    const admin = client(redisUrl())
    await a.set('k', 'old', { tags: ['t'] })
    expect(await b.get('k')).toBe('old')
    expect(await admin.del(`${prefix}{m}t|t`)).toBe(1)
    // Somebody new asks for the tag, and it has another version now.
    const c = member(redisUrl(), prefix)
    expect(await c.get('k')).toBeUndefined()
    await until(async () => (await a.get('k')) === undefined && (await b.get('k')) === undefined)
    await c.set('k', 'new', { tags: ['t'] })
    for (const cache of [a, b, c]) expect(await cache.get('k')).toBe('new')
    await a.invalidateTags(['t'])
    await until(async () => (await b.get('k')) === undefined && (await c.get('k')) === undefined)
  })

  it('a marker that ends before its entries makes them misses, and one that is used stays', async () => {
    const { a, b, prefix } = pair(redisUrl(), { redis: { tagTtl: '2s' }, near: 1 })
    const admin = client(redisUrl())
    await a.set('k', 1, { tags: ['unused'], ttl: '1h' })
    const left = [await admin.pttl(`${prefix}{m}t|unused`), await admin.pttl(`${prefix}e|k`)]
    expect(left[0]).toBeLessThanOrEqual(2_000)
    expect(left[1]).toBeGreaterThan(3_000_000)
    const begun = performance.now()
    for (let i = 0; performance.now() - begun < 3_000; i++) {
      await a.set(`l${i}`, i, { tags: ['used'] })
      await sleep(50)
    }
    expect(await admin.exists(`${prefix}{m}t|unused`)).toBe(0)
    expect(await admin.exists(`${prefix}{m}t|used`)).toBe(1)
    expect(await b.get('l0')).toBe(0)
    const late = member(redisUrl(), prefix, patient)
    expect(await late.get('k')).toBeUndefined()
    expect(await late.get('l0')).toBe(0)
  })

  it('entries of a tag that another process invalidates are gone everywhere, within milliseconds', async () => {
    const { a, b } = pair(redisUrl())
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`)
    await a.setMany(
      keys.map((key) => [key, 1]),
      { tags: ['all', '*', '__proto__', 'a:b}'] },
    )
    expect((await b.getMany(keys)).size).toBe(500)
    for (const tag of ['*', '__proto__', 'a:b}']) {
      await b.invalidateTags([tag])
      expect((await b.getMany(keys)).size).toBe(0)
      await until(async () => (await a.getMany(keys)).size === 0)
      await a.setMany(
        keys.map((key) => [key, 1]),
        { tags: ['all', '*', '__proto__', 'a:b}'] },
      )
    }
  })

  it('nothing grows with the entries that come and go under a tag', async () => {
    const { a, prefix } = pair(redisUrl())
    const admin = client(redisUrl())
    await a.set('k', 1, { tags: ['t'] })
    const before = await admin.memory('USAGE', `${prefix}{m}t|t`)
    for (let i = 0; i < 2_000; i++) void a.set(`k${i}`, 1, { tags: ['t'], ttl: 1 })
    await a.drain()
    expect(await admin.memory('USAGE', `${prefix}{m}t|t`)).toBe(before)
  })

  it('a process that starts later, and one that was away, agree on a tag', async () => {
    const { a, b, prefix } = pair(redisUrl())
    await a.set('k', 1, { tags: ['t'] })
    await b.invalidateTags(['t'])
    const late = member(redisUrl(), prefix)
    expect(await late.get('k')).toBeUndefined()
    await late.set('k', 2, { tags: ['t'] })
    await until(async () => (await a.get('k')) === 2 && (await b.get('k')) === 2)
  })
})

describe('many keys at once', { timeout: 30_000 }, () => {
  it('twenty thousand are written, read and deleted, though one call may take 200 ms', async () => {
    const { a, b } = pair(redisUrl())
    const errors: unknown[] = []
    for (const cache of [a, b]) cache.on('error', ({ error }) => errors.push(error))
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}`)
    await a.setMany(keys.map((key, i) => [key, i]))
    expect((await b.getMany(keys)).size).toBe(20_000)
    expect(await a.deleteMany(keys)).toBe(20_000)
    expect(errors).toEqual([])
  }, 30_000)
})
