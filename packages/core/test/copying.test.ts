import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'

interface Cart {
  items: { count: number }[]
}

const cart = (): Cart => ({ items: [{ count: 1 }] })

function cacheThat(copy: 'share' | 'clone' | 'freeze'): Cache {
  const clock = fakeClock()
  return createCache({ store: mapStore(clock), clock, copy })
}

/** Every way a value reaches a caller: the value that went in, and those that came out. */
const ways: Record<string, (cache: Cache) => Promise<readonly Cart[]>> = {
  async 'set and hits'(cache) {
    const value = cart()
    await cache.set('k', value)
    const hit = await cache.getOrSet('k', cart)
    return [
      value,
      hit,
      (await cache.get<Cart>('k'))!,
      (await cache.getEntry<Cart>('k'))!.value,
      cache.peek<Cart>('k')!,
    ]
  },
  async 'setMany and getMany'(cache) {
    const value = cart()
    await cache.setMany({ k: value })
    return [
      value,
      (await cache.getMany<Cart>(['k'])).get('k')!,
      (await cache.getOrSetMany(['k'], () => [cart()])).get('k')!,
    ]
  },
  async 'a load, callers who joined it, and hits'(cache) {
    const value = cart()
    const read = () => cache.getOrSet('k', async () => value)
    const loaded = await Promise.all([read(), read(), read()])
    return [value, ...loaded, await read(), (await cache.get<Cart>('k'))!]
  },
  async 'getOrSetMany and hits'(cache) {
    const value = cart()
    const read = async () => (await cache.getOrSetMany(['k'], async () => [value])).get('k')!
    return [value, ...(await Promise.all([read(), read()])), await read()]
  },
  async 'a wrapped function'(cache) {
    const value = cart()
    const read = cache.wrap('f', async () => value)
    return [value, ...(await Promise.all([read(), read()])), await read()]
  },
}

for (const [way, play] of Object.entries(ways)) {
  describe(way, () => {
    it("'share' hands one object to everyone", async () => {
      expect(new Set(await play(cacheThat('share'))).size).toBe(1)
    })

    it("'clone' hands each an equal one of its own", async () => {
      const cache = cacheThat('clone')
      const values = await play(cache)
      expect(new Set(values).size).toBe(values.length)
      expect(new Set(values.map(({ items }) => items[0])).size).toBe(values.length)
      for (const value of values) {
        expect(value).toEqual(cart())
        value.items[0]!.count = 99
      }
      const key = way === 'a wrapped function' ? cache.wrap('f', cart).keyFor() : 'k'
      expect(await cache.get(key)).toEqual(cart())
    })

    it("'freeze' hands one object to everyone, deeply frozen", async () => {
      const values = await play(cacheThat('freeze'))
      expect(new Set(values).size).toBe(1)
      expect(() => (values[0]!.items[0]!.count = 99)).toThrow(TypeError)
      expect(() => values[0]!.items.push({ count: 2 })).toThrow(TypeError)
    })
  })
}

describe('a clone', () => {
  class Point {
    readonly x = 1
  }

  it.each([
    ['a function', { a: [{ f: () => 1 }] }, '$.a[0].f is a function'],
    ['a symbol', { 'odd key': Symbol('s') }, '$["odd key"] is a symbol'],
    ['a class instance', [new Point()], '$[0] is an instance of Point'],
    ['a class instance in a Map', new Map([['p', new Point()]]), '$.get(p) is an instance of Point'],
    ['a class instance in a Set', new Set([new Point()]), '$.values() is an instance of Point'],
    ['an error', { error: new TypeError('x') }, '$.error is an instance of TypeError'],
    ['a function alone', () => 1, '$ is a function'],
  ])('of %s is refused, with its path', async (_, value, message) => {
    const cache = cacheThat('clone')
    const refused = { code: 'ERR_VALUE', message: expect.stringContaining(message) as string }
    await expect(cache.set('k', value)).rejects.toMatchObject(refused)
    await expect(cache.getOrSet<unknown>('k', () => value)).rejects.toMatchObject(refused)
    expect(await cache.has('k')).toBe(false)
    expect(cache.stats()).toMatchObject({ loads: 1, loading: 0 })
  })

  it('keeps dates, maps, sets, bytes, regular expressions and bigints', async () => {
    const cache = cacheThat('clone')
    const value = {
      date: new Date(0),
      map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1, [2]])]]),
      regExp: /a+/gi,
      big: 10n,
      none: undefined,
      nan: NaN,
      bytes: new Uint8Array([1, 2, 3]).subarray(1),
      floats: new Float64Array([1.5]),
      view: new DataView(new ArrayBuffer(2)),
      buffer: Buffer.from('abc'),
      arrayBuffer: new ArrayBuffer(3),
      bare: Object.assign(Object.create(null), { a: 1 }) as object,
    }
    await cache.set('k', value)
    const copy = (await cache.get<typeof value>('k'))!
    expect(copy).toEqual(value)
    expect(copy.buffer).toBeInstanceOf(Buffer)
    expect(copy.buffer.toString()).toBe('abc')
    expect(copy.bytes.buffer.byteLength).toBe(2)
    for (const part of ['date', 'map', 'bytes', 'buffer', 'bare', 'floats'] as const)
      expect(copy[part]).not.toBe(value[part])
    expect(Object.getPrototypeOf(copy.bare)).toBeNull()
    copy.buffer[0] = 0
    copy.date.setTime(1)
    expect(await cache.get('k')).toEqual(value)
  })

  it('keeps cycles, shared parts and holes', async () => {
    const cache = cacheThat('clone')
    const shared = { a: 1 }
    const value: { self?: unknown; parts: unknown[]; sparse: unknown[] } = {
      parts: [shared, shared],
      sparse: new Array<unknown>(3),
    }
    value.self = value
    await cache.set('k', value)
    const copy = (await cache.get<typeof value>('k'))!
    expect(copy.self).toBe(copy)
    expect(copy.parts[0]).toBe(copy.parts[1])
    expect(copy.parts[0]).not.toBe(shared)
    expect(0 in copy.sparse).toBe(false)
    expect(copy.sparse).toHaveLength(3)
  })

  it('keeps __proto__ as a key like others', async () => {
    const cache = cacheThat('clone')
    await cache.set('k', JSON.parse('{"__proto__":{"polluted":true}}'))
    const copy = (await cache.get<object>('k'))!
    expect(Object.keys(copy)).toEqual(['__proto__'])
    expect('polluted' in copy).toBe(false)
    expect('polluted' in {}).toBe(false)
  })
})

describe('a frozen value', () => {
  it('is frozen through cycles and parts that were frozen on the outside only', async () => {
    const cache = cacheThat('freeze')
    const value: { self?: unknown; outer: { inner: { a: number } }; date: Date; bytes: Uint8Array } = {
      outer: Object.freeze({ inner: { a: 1 } }),
      date: new Date(0),
      bytes: new Uint8Array(1),
    }
    value.self = value
    await cache.set('k', value)
    expect(Object.isFrozen(value.outer.inner)).toBe(true)
    expect((await cache.get<typeof value>('k'))!.bytes).toBe(value.bytes)
  })
})
