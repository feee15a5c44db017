import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { CacheError } from '@flow-cache/core'
import { plainCodec } from './plain-codec.js'

const key = 'user:1'
const trip = (value: unknown): unknown => plainCodec.decode(plainCodec.encode(value, key), key)

function refusalOf(value: unknown): CacheError {
  try {
    plainCodec.encode(value, key)
  } catch (error) {
    if (error instanceof CacheError) return error
    throw error
  }
  throw new Error('it was encoded')
}

const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const

const anyBytes = fc.uint8Array({ maxLength: 64 })

/** Bytes that begin somewhere inside a larger buffer, as those of a pool do. */
const inside = (bytes: Uint8Array): { buffer: ArrayBuffer; offset: number; length: number } => {
  const buffer = new ArrayBuffer(bytes.length + 16)
  new Uint8Array(buffer, 8, bytes.length).set(bytes)
  return { buffer, offset: 8, length: bytes.length }
}

const anyBinary = fc.oneof(
  ...typedArrays.map((Type) =>
    anyBytes.map((bytes) => {
      const { buffer, offset, length } = inside(bytes)
      return new Type(buffer, offset, Math.floor(length / Type.BYTES_PER_ELEMENT))
    }),
  ),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((all) => BigInt64Array.from(all)),
  fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map((all) => BigUint64Array.from(all)),
  anyBytes.map((bytes) => Buffer.from(bytes)),
  anyBytes.map((bytes) => new Uint8Array(bytes).buffer),
  anyBytes.map((bytes) => {
    const { buffer, offset, length } = inside(bytes)
    return new DataView(buffer, offset, length)
  }),
)

const anyScalar = fc.oneof(
  fc.constantFrom(null, undefined, true, false, NaN, Infinity, -Infinity, -0, '', '~', '~u', '~m', '\ud800'),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  // Halves of surrogate pairs too.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
  fc.string().map((text) => `~${text}`),
  // Invalid ones equal nothing to Node 20, not even themselves; they have a test of their own.
  fc.date({ noInvalidDate: true }),
)

const anyName = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'length', '~m', '0', ''),
)

function record(entries: readonly (readonly [string, unknown])[], prototype: object | null): object {
  const made = Object.create(prototype) as object
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return made
}

const anyValue = fc.letrec((tie) => {
  const part = tie('value')
  const entries = fc.array(fc.tuple(anyName, part), { maxLength: 5 })
  return {
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      anyScalar,
      anyBinary,
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.double(), { minLength: 30, maxLength: 40 }),
      fc.array(fc.option(part, { nil: undefined, freq: 2 }), { maxLength: 6 }).map((items) => {
        const sparse: unknown[] = []
        sparse.length = items.length
        items.forEach((item, i) => {
          if (item !== undefined) sparse[i] = item
        })
        return sparse
      }),
      entries.map((all) => record(all, Object.prototype)),
      entries.map((all) => record(all, null)),
      entries.map((all) => new Map<unknown, unknown>(all)),
      fc.array(fc.tuple(part, part), { maxLength: 4 }).map((all) => new Map(all)),
      fc.array(part, { maxLength: 5 }).map((all) => new Set(all)),
    ),
  }
}).value

describe('a round trip', () => {
  it('gives back any data of any kind', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = plainCodec.encode(value, key)
        const before = Uint8Array.from(bytes)
        const back = plainCodec.decode(bytes, key)
        bytes.fill(0)
        expect(isDeepStrictEqual(back, value)).toBe(true)
        expect(Uint8Array.from(plainCodec.encode(back, key))).toEqual(before)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    [undefined],
    [null],
    [NaN],
    [-0],
    [-Infinity],
    [2n ** 200n],
    [-255n],
    ['\udfff lone \ud800'],
    ['\ufffd'],
    ['~r0'],
    [new Date(-8.64e15)],
    [[undefined, null, -0]],
    [['~m', 1, 2]],
    [['~u']],
    [{ a: undefined }],
    [new Map([[{ id: 1 }, new Set([NaN])]])],
    [new Map([[undefined, undefined]])],
    [Object.assign(['a'], { index: 0, input: 'a' })],
    [Object.assign(new Array(3), { 1: 'x', length: 3, name: 'y' })],
    [Array.from({ length: 32 }, (_, i) => i / 3)],
    [Array.from({ length: 32 }, (_, i) => (i === 16 ? NaN : -i / 3))],
  ])('gives back %o', (value) => {
    expect(isDeepStrictEqual(trip(value), value)).toBe(true)
  })

  it('gives back a date that is none', () => {
    expect(trip({ at: new Date(NaN) })).toStrictEqual({ at: new Date(NaN) })
  })

  it('is JSON text where that is enough', () => {
    const value = { id: 1, names: ['Zoë', '~u', '__proto__'], none: null }
    expect(Buffer.from(plainCodec.encode(value, key)).toString()).toBe(JSON.stringify(value))
  })

  it('keeps what a sparse array is', () => {
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 'far'
    const back = trip(sparse) as unknown[]
    expect([back.length, Object.keys(back)]).toEqual([4_000_000_001, ['4000000000']])
    expect(0 in (trip([, 1]) as unknown[])).toBe(false) // oxlint-disable-line no-sparse-arrays -- what it is about
  })

  it('keeps one object one, and a circle a circle', () => {
    const shared = { id: 1 }
    const date = new Date(5)
    const bytes = new Uint8Array(2)
    const pair = trip([shared, shared, date, date, bytes, bytes]) as unknown[]
    expect([pair[0] === pair[1], pair[2] === pair[3], pair[4] === pair[5]]).toEqual([true, true, true])

    const map = new Map<unknown, unknown>()
    const circle: Record<string, unknown> = { list: [map], none: Object.create(null) as object }
    circle['self'] = circle
    map.set(map, new Set([circle]))
    const back = trip(circle) as typeof circle
    const backMap = (back['list'] as Map<unknown, unknown>[])[0]!
    expect(back['self']).toBe(back)
    expect([...backMap.keys()]).toEqual([backMap])
    expect([...(backMap.get(backMap) as Set<unknown>)][0]).toBe(back)
  })

  it('writes an object that occurs very often once', () => {
    let value: unknown = 'x'
    for (let i = 0; i < 200; i++) value = [value, value]
    expect(plainCodec.encode(value, key).length).toBeLessThan(10_000)
    trip(value)
  })

  it('keeps __proto__ a name like others', () => {
    for (const text of ['{"__proto__":{"polluted":true}}', '{"__proto__":{"polluted":true},"more":1}']) {
      const value = JSON.parse(text) as Record<string, unknown>
      for (const one of [value, { ...value, nan: NaN }, { in: value, nan: NaN }]) {
        const back = trip(one) as Record<string, unknown>
        expect(isDeepStrictEqual(back, one)).toBe(true)
        expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
        expect(back['polluted']).toBeUndefined()
      }
    }
  })

  it('gives back a thousand levels', () => {
    let value: unknown = 1
    for (let i = 0; i < 999; i++) value = i % 3 === 0 ? new Map([[1, value]]) : { of: value }
    expect(isDeepStrictEqual(trip(value), value)).toBe(true)
    let plain: unknown = 1
    for (let i = 0; i < 1_000; i++) plain = [plain]
    expect(isDeepStrictEqual(trip(plain), plain)).toBe(true)
  })

  it('takes objects of another realm for what they are', async () => {
    const { runInNewContext } = await import('node:vm')
    const value: unknown = runInNewContext(
      '({ list: [1, new Map([[1, new Date(3)]])], n: new Uint8Array(2) })',
    )
    expect(trip(value)).toStrictEqual({ list: [1, new Map([[1, new Date(3)]])], n: new Uint8Array(2) })
    const extended: unknown = runInNewContext('new (class Map extends globalThis.Map {})()')
    expect(refusalOf(extended).code).toBe('ERR_VALUE')
  })
})

describe('memory', () => {
  it('of a decoded value is nobody else’s', () => {
    const value = [
      Buffer.from('abc'),
      new Float64Array([1.5]),
      new Uint8Array([7]),
      new Uint8Array([8]).buffer,
    ]
    const encoded = plainCodec.encode(value, key)
    const shifted = new Uint8Array(encoded.length + 3)
    shifted.set(encoded, 3)
    const back = plainCodec.decode(shifted.subarray(3), key) as typeof value
    shifted.fill(0)
    expect(back).toStrictEqual(value)
    const buffers = back.map((part) => (ArrayBuffer.isView(part) ? part.buffer : part))
    expect(new Set(buffers).size).toBe(4)
    expect(buffers.map((buffer) => buffer.byteLength)).toEqual([3, 8, 1, 1])
    expect(Buffer.isBuffer(back[0])).toBe(true)
  })

  it('of a view is written without what lies around it', () => {
    const around = new Uint8Array(1_000).fill(1)
    const back = trip(around.subarray(10, 20)) as Uint8Array
    expect([back.length, back.byteOffset, back.buffer.byteLength]).toEqual([10, 0, 10])
  })
})

class User {
  readonly id = 1
}
class Keyed extends Map<string, number> {}

describe('a refusal', () => {
  it.each<[string, () => unknown]>([
    ['value is a function', () => () => 1],
    ['value.user.load is a function: leave it out', () => ({ user: { load() {} } })],
    [
      'value.items[3] is an instance of User: pick the fields that matter',
      () => ({ items: [1, 2, 3, new User()] }),
    ],
    ['value["a b"] is a symbol', () => ({ 'a b': Symbol('x') })],
    ['value has a symbol as a name, Symbol(tag)', () => ({ [Symbol('tag')]: 1 })],
    ['value has a symbol as a name', () => Object.assign([1], { [Symbol('tag')]: 1 })],
    ['value.get("k") is an instance of Keyed', () => new Map([['k', new Keyed()]])],
    ['value.keys()[0].f is a function', () => new Map([[{ f: () => 1 }, 1]])],
    ['value.values()[0] is an instance of RegExp: keep its source and flags', () => new Map([[[], /x/]])],
    ['value.values()[1] is an instance of WeakMap', () => new Set([1, new WeakMap()])],
    ['value[0] is an instance of Promise: await it first', () => [Promise.resolve()]],
    ['value is an instance of TypeError: keep its name and message', () => new TypeError('no')],
    ['value is an instance of URL: keep its href', () => new URL('http://x')],
    ['value.n is an instance of Number: keep the primitive', () => ({ n: Object(1) as unknown })],
    ['value is an instance of SharedArrayBuffer: keep a copy of its bytes', () => new SharedArrayBuffer(1)],
    ['value is a view of a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(1))],
    ['value is an object with a prototype of its own', () => Object.create({ a: 1 })],
    ['value is an instance of Map', () => Object.create(Map.prototype)],
    ['value.zone is a property beside the content', () => Object.assign(new Date(0), { zone: 'UTC' })],
  ])('names the place and what to do: %j', (message, make) => {
    const value = make()
    const error = refusalOf(value)
    expect(error.message).toContain(message)
    expect([error.code, error.key]).toEqual(['ERR_VALUE', key])
  })

  it('of what cannot be read names the place and the cause', () => {
    const cause = new Error('no')
    const getter = {
      get x(): unknown {
        throw cause
      },
    }
    const refusal = refusalOf({ in: [getter] })
    expect([refusal.message, refusal.cause]).toEqual([
      'value.in[0].x cannot be read: the cause says why',
      cause,
    ])
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(refusalOf({ proxy }).message).toContain('value.proxy cannot be read')
  })

  it('of more than a thousand levels says so', () => {
    let value: unknown = 1
    for (let i = 0; i < 1_001; i++) value = { of: value }
    expect(refusalOf(value).message).toContain('is nested deeper than 1000 levels')
    for (let i = 0; i < 100_000; i++) value = [value]
    expect(refusalOf(value).message).toContain('is nested deeper than 1000 levels')
  })

  it('finds whatever is no data, wherever it is', () => {
    const foreign = fc.constantFrom<unknown>(() => 1, Symbol('s'), new User(), Promise.resolve(), /x/)
    fc.assert(
      fc.property(anyValue, foreign, (value, other) => {
        expect(refusalOf({ a: [value, new Map([['m', other]])] }).message).toContain(
          'value.a[1].get("m") is ',
        )
      }),
    )
  })
})

describe('decode', () => {
  /** Fails, or brings a value that can be encoded again. */
  const survives = (bytes: Uint8Array): void => {
    let value: unknown
    try {
      value = plainCodec.decode(bytes, key)
    } catch {
      return
    }
    plainCodec.encode(value, key)
  }

  const unpolluted = (): void => {
    expect(Reflect.ownKeys(Object.prototype)).toEqual(ownKeys)
    expect(Reflect.ownKeys(Array.prototype)).toEqual(ownKeysOfArray)
  }
  const ownKeys = Reflect.ownKeys(Object.prototype)
  const ownKeysOfArray = Reflect.ownKeys(Array.prototype)

  it('refuses bytes cut off anywhere', () => {
    const values = [
      { a: [1, 'text', null] },
      [undefined, new Date(0), new Map([[1, new Uint8Array(9)]]), Array.from({ length: 40 }, () => 0.5), 12n],
    ]
    for (const value of values) {
      const bytes = plainCodec.encode(value, key)
      for (let i = 0; i < bytes.length; i++) {
        expect(() => plainCodec.decode(bytes.subarray(0, i), key)).toThrow(Error)
      }
    }
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = plainCodec.encode(value, key)
        for (let i = 0; i < bytes.length; i++) survives(bytes.subarray(0, i))
      }),
      { numRuns: 50 },
    )
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x5b, 0x54), (bytes, marker) => {
        survives(bytes)
        survives(Uint8Array.of(marker, ...bytes))
        survives(Uint8Array.of(marker, 0, 0, 0, Math.min(bytes.length, 20), ...bytes))
      }),
    )
    unpolluted()
  })

  it('survives damage anywhere', () => {
    fc.assert(
      fc.property(anyValue, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 }), (value, changes) => {
        const bytes = plainCodec.encode(value, key)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        survives(bytes)
      }),
    )
    unpolluted()
  })

  it.each([
    '"~"',
    '"~z"',
    '"~u1"',
    '"~#1"',
    '"~i"',
    '"~i0x1"',
    '"~d"',
    '"~d1e3"',
    '"~r0"',
    '["~r7"]',
    '"~f1"',
    '"~f-1"',
    '"~bUint8Array"',
    '"~bUint8Array:1"',
    '"~bNumber:0"',
    '"~bconstructor:0"',
    '["~m",1]',
    '["~m",1,2,1,3]',
    '["~s",1,1]',
    '["~o"]',
    '["~o",[]]',
    '["~o",{},1]',
    '["~x",-1,{}]',
    '["~x",4294967296,{}]',
    `["~x","a",{}]`,
    '["~x",1]',
    '["~x",1,{"length":"5"}]',
    '1 1',
  ])('refuses %s', (text) => {
    expect(() => plainCodec.decode(taggedOf(text), key)).toThrow(Error)
  })

  it('refuses bytes left over, parts of an element, and what is no UTF-8', () => {
    expect(() => plainCodec.decode(taggedOf('1', 1), key)).toThrow('left over')
    expect(() => plainCodec.decode(taggedOf('"~bFloat64Array:7"', 7), key)).toThrow(RangeError)
    expect(() => plainCodec.decode(Buffer.from('"\xff"', 'latin1'), key)).toThrow('UTF-8')
    expect(() => plainCodec.decode(Buffer.from('Q1'), key)).toThrow(SyntaxError)
    expect(() => plainCodec.decode(new Uint8Array(), key)).toThrow(SyntaxError)
  })

  it('pollutes no prototype and makes no list longer than it says', () => {
    for (const text of [
      '["~o",{"__proto__":{"polluted":1}}]',
      '["~x",1,{"__proto__":{"polluted":1}}]',
      '{"__proto__":"~u","constructor":{"prototype":{"polluted":1}}}',
    ]) {
      const value = plainCodec.decode(taggedOf(text), key) as Record<string, unknown>
      expect(value['polluted']).toBeUndefined()
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    unpolluted()
    expect(() => plainCodec.decode(taggedOf('["~x",1,{"5":1}]'), key)).toThrow(Error)
  })

  it('ends in an error, not in a crash, where data is nested without end', () => {
    const nested = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    expect(() => plainCodec.decode(taggedOf(nested), key)).toThrow(RangeError)
  })
})

function taggedOf(text: string, more = 0): Uint8Array {
  const bytes = Buffer.alloc(5 + text.length + more)
  bytes.write('T')
  bytes.writeUInt32BE(text.length, 1)
  bytes.write(text, 5)
  return bytes
}
