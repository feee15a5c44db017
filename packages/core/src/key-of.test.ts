import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CacheKeyError } from './errors.js'
import { canonical, keyOf, type KeyCodec, type KeyOptions } from './key-of.js'

class Money {
  readonly amount: number
  readonly currency: string
  constructor(amount: number, currency: string) {
    this.amount = amount
    this.currency = currency
  }
}

class User {
  readonly id = 7
  toJSON(): unknown {
    return { id: this.id }
  }
}

const money: KeyCodec<Money> = {
  name: 'money',
  test: (value) => value instanceof Money,
  encode: ({ amount, currency }) => [amount, currency],
}

class Empty {
  readonly nothing = undefined
}
Object.defineProperty(Empty, 'name', { value: '' })

function errorOf(act: () => unknown): unknown {
  try {
    act()
    return undefined
  } catch (error) {
    return error
  }
}

function refusal(value: unknown, options?: KeyOptions): CacheKeyError {
  const error = errorOf(() => canonical(value, options))
  expect(error).toBeInstanceOf(CacheKeyError)
  expect(errorOf(() => keyOf(value, options))).toEqual(error)
  return error as CacheKeyError
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value }
  return value
}

describe('keyOf', () => {
  it('is the SHA-256 of the canonical form behind a name of its own, as 43 characters', () => {
    const value = { b: [1, 'é'], a: null }
    const expected = createHash('sha256')
      .update('flow-cache/key/1\0{"a":null,"b":[1,"é"]}')
      .digest('base64url')
    expect(keyOf(value)).toBe(expected)
    expect(keyOf(value)).toMatch(/^[\w-]{43}$/)
  })

  const golden: readonly (readonly [unknown, string, string])[] = [
    [null, 'null', 'EKJ1ZHNEs9Y5S3RzhktfK2R1ijCIStHNeFCS2aiJeS0'],
    [undefined, '{"$undefined":true}', '6zo8Z5hLEcVhyY5wNkX5BS1a_b-dV0O8OL1SUZf_RU8'],
    ['', '""', 'avrIBXXBzbq85_FmFL45-SHMdk8WnNwWfvMtUK7F0L0'],
    [42, '42', 'VlizpDW3Uq_36mQk_2MPX0i5HuPwOVFsvIoQ5m6c6co'],
    [
      ['user:1', { page: 2, filter: undefined }],
      '["user:1",{"page":2}]',
      'ezkEA2QZ6NtUYc-sFuM67DGFa0PMM6obM4DQgq4EsAY',
    ],
    [
      { model: 'm-1', messages: [{ role: 'user', content: 'Grüße, 世界 😀\n' }], temperature: 0.2 },
      '{"messages":[{"content":"Grüße, 世界 😀\\n","role":"user"}],"model":"m-1","temperature":0.2}',
      'ZIfOZIj73jO-8AP5x9lMyyTETnjwDdx5ttg0uMSu13I',
    ],
    [
      [10n, new Date(86_400_000), new URL('https://example.com/'), /x+/g],
      '[{"$bigint":"10"},{"$date":"1970-01-02T00:00:00.000Z"},{"$url":"https://example.com/"},{"$re":["x+","g"]}]',
      'alZSDnpflw2ABlpui7mIPiovkMsEcR2Vpjqd3nnVuks',
    ],
    [
      [
        Uint8Array.of(1, 2, 3),
        new Map<string, unknown>([
          ['b', 1],
          ['a', new Set([2, 1])],
        ]),
      ],
      '[{"$bytes":"039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81","t":"Uint8Array"},{"$map":[["a",{"$set":[1,2]}],["b",1]]}]',
      'JamTjq3J94TN5_Sz41iDe_70NlSjrm8-9d7X2TFa13o',
    ],
    [
      { $map: [['a', 1]], $: '$' },
      '{"$$":"$","$$map":[["a",1]]}',
      'ZedVt6ICT2b-X_wrGZzqvDfSlENXovDvfShI5WGa2N8',
    ],
  ]
  it.each(golden)('of %o does not change from release to release', (value, text, key) => {
    expect(canonical(value)).toBe(text)
    expect(keyOf(value)).toBe(key)
  })

  it('is the same for what does not fit one page', () => {
    fc.assert(
      fc.property(
        fc.nat(40_000),
        fc.constantFrom('a', '"', 'é', '漢', '😀', '\u0001', '\ufeff'),
        (length, unit) => {
          const value = ['x'.repeat(length % 7), unit.repeat(length), { [unit.repeat(length % 500)]: 1 }]
          const text = JSON.stringify(value)
          expect(canonical(value)).toBe(text)
          expect(keyOf(value)).toBe(
            createHash('sha256').update(`flow-cache/key/1\0${text}`).digest('base64url'),
          )
        },
      ),
    )
  })

  it('is the same wherever a page ends', () => {
    const unit = fc.constantFrom('a', 'é', '漢', '😀')
    const deep: unknown = JSON.parse('['.repeat(300) + ']'.repeat(300))
    const parts = [deep, 123456789.12345678, {}, null, { ['n'.repeat(59)]: -1.5e-300 }]
    for (let length = 0; length < 70; length++) {
      const shift = 'x'.repeat(length)
      const list = [
        shift,
        ...Array.from({ length: 700 }, () => shift),
        ...Array.from({ length: 100 }, () => parts),
      ]
      expect(canonical(list)).toBe(JSON.stringify(list))
    }
    fc.assert(
      fc.property(fc.nat(40_000), fc.nat(10_000), unit, (before, length, unit) => {
        const value = ['x'.repeat(before), new Set([unit.repeat(length)]), { [unit.repeat(length)]: 1 }]
        const text = unit.repeat(length)
        const expected = `["${value[0] as string}",{"$set":["${text}"]},{"${text}":1}]`
        expect(canonical(value)).toBe(expected)
      }),
    )
  })

  it('may be asked for by a codec, while another key is being made', () => {
    const nested: KeyCodec<Money> = {
      ...money,
      encode: ({ amount, currency }) => keyOf({ amount, currency }),
    }
    const value = { a: 'before', m: new Money(1, 'EUR'), z: 'after' }
    const inner = keyOf({ amount: 1, currency: 'EUR' })
    expect(canonical(value, { codecs: [nested] })).toBe(
      `{"a":"before","m":{"$codec":["money","${inner}"]},"z":"after"}`,
    )
  })

  it('works after a value that was refused', () => {
    const before = keyOf({ a: 1 })
    refusal({ a: { b: [() => 1] } })
    expect(keyOf({ a: 1 })).toBe(before)
  })
})

describe('plain data', () => {
  it('is written as the example in RFC 8785 (3.2.2)', () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    expect(canonical(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('has its names in the order of RFC 8785 (3.2.3)', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    expect(JSON.parse(canonical(value))).toEqual(value)
    expect([...canonical(value).matchAll(/:"(\w+)/g)].map((match) => match[1])).toEqual([
      'Carriage',
      'One',
      'Control',
      'Latin',
      'Euro',
      'Emoji',
      'Hebrew',
    ])
  })

  it.each([
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352825856, '295147905179352830000'],
    [999999999999999868928, '999999999999999900000'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
  ])('has the number form of RFC 8785 (appendix B): %d', (value, text) => {
    expect(canonical(value)).toBe(text)
  })

  it('is what a few lines of JSON.stringify make of it', () => {
    const simple = (value: unknown): string => {
      if (typeof value !== 'object' || value === null) return JSON.stringify(value)
      if (Array.isArray(value)) return `[${value.map(simple).join(',')}]`
      const names = Object.keys(value).toSorted()
      return `{${names.map((name) => `${JSON.stringify(name.replace(/^\$/, '$$$$'))}:${simple((value as never)[name])}`).join(',')}}`
    }
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), (value) => {
        expect(canonical(value)).toBe(simple(value))
      }),
      { numRuns: 1000 },
    )
  })

  it('has its escapes wherever they stand in a long text', () => {
    const odd = [
      '\u0000',
      '\u001f',
      '"',
      '\\',
      '\n',
      ' ',
      '!',
      '#',
      '[',
      ']',
      '\u007f',
      '\u0080',
      'é',
      '世',
      '😀',
    ]
    for (const one of odd)
      for (const other of odd)
        for (let at = 0; at < 8; at++) {
          const text = 'a'.repeat(64 + at) + one + other + 'b'.repeat(at)
          expect(canonical(text)).toBe(JSON.stringify(text))
        }
  })

  it('sorts integer names as text', () => {
    expect(canonical({ 10: 'b', 9: 'c', '!': 'a' })).toBe('{"!":"a","10":"b","9":"c"}')
  })

  it('sorts few names and many', () => {
    for (let count = 0; count < 40; count++) {
      const names = Array.from({ length: count }, (_, i) => `n${(i * 7) % 41}`)
      expect(Object.keys(JSON.parse(canonical(objectOf(names))) as object)).toEqual(names.toSorted())
    }
  })

  it('sorts each object of a list by its own names', () => {
    expect(canonical([{ b: 1, a: 2 }, { b: 1, a: 2 }, { b: 1, c: 2 }, { a: 2, b: 1 }, { b: 1 }])).toBe(
      '[{"a":2,"b":1},{"a":2,"b":1},{"b":1,"c":2},{"a":2,"b":1},{"b":1}]',
    )
  })

  it('treats a property that is undefined as absent', () => {
    expect(canonical({ a: undefined, b: 1 })).toBe(canonical({ b: 1 }))
    expect(canonical({ a: undefined })).toBe('{}')
  })

  it('tells an undefined item from null, and a hole not from undefined', () => {
    expect(canonical([undefined])).toBe('[{"$undefined":true}]')
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what this is about
    expect(canonical([1, , 2])).toBe(canonical([1, undefined, 2]))
    expect(canonical([undefined])).not.toBe(canonical([null]))
    expect(canonical([undefined])).not.toBe(canonical([]))
  })

  it('may be undefined altogether', () => {
    expect(canonical(undefined)).toBe('{"$undefined":true}')
  })

  it('may come without a prototype or from another realm', () => {
    expect(canonical(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
    expect(canonical(runInNewContext('({ a: [1, new Map([[1, new Date(0)]]), /x/g] })'))).toBe(
      canonical({ a: [1, new Map([[1, new Date(0)]]), /x/g] }),
    )
  })

  it('may have a property named __proto__', () => {
    expect(canonical(JSON.parse('{"__proto__":{"a":1},"b":2}'))).toBe('{"__proto__":{"a":1},"b":2}')
  })

  it('is read without its symbols and what is not enumerable', () => {
    const value = Object.defineProperty({ a: 1, [Symbol('s')]: 2 }, 'hidden', { value: 3 })
    expect(canonical(value)).toBe('{"a":1}')
  })

  it('may hold one object in several places', () => {
    const shared = { x: 1 }
    expect(canonical({ a: shared, b: [shared, shared] })).toBe('{"a":{"x":1},"b":[{"x":1},{"x":1}]}')
  })

  it('cannot look like a tag', () => {
    expect(canonical({ $date: '1970-01-01T00:00:00.000Z' })).toBe('{"$$date":"1970-01-01T00:00:00.000Z"}')
    expect(canonical({ $$date: 1, $: 2 })).toBe('{"$$":2,"$$$date":1}')
  })
})

describe('beyond JSON', () => {
  it.each<[unknown, string]>([
    [12345678901234567890n, '{"$bigint":"12345678901234567890"}'],
    [new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
    [new URL('https://example.com/a b?q="1"'), '{"$url":"https://example.com/a%20b?q=%221%22"}'],
    [/a"b/giu, '{"$re":["a\\"b","giu"]}'],
    [new Map(), '{"$map":[]}'],
    [new Set(), '{"$set":[]}'],
    [
      new Map<unknown, unknown>([
        ['b', new Set([2, 1])],
        [{ a: 1 }, undefined],
      ]),
      '{"$map":[["b",{"$set":[1,2]}],[{"a":1},{"$undefined":true}]]}',
    ],
  ])('%o has a form of its own', (value, text) => {
    expect(canonical(value)).toBe(text)
  })

  it('tells bytes apart by content and by type of array', () => {
    const digest = createHash('sha256')
      .update(Uint8Array.of(1, 2, 3, 4))
      .digest('hex')
    const bytes = Uint8Array.of(9, 1, 2, 3, 4, 9)
    const { buffer } = bytes.slice(1, 5)
    const values = {
      Uint8Array: bytes.subarray(1, 5),
      Uint8ClampedArray: new Uint8ClampedArray(buffer),
      Int8Array: new Int8Array(buffer),
      Uint16Array: new Uint16Array(buffer),
      Float32Array: new Float32Array(buffer),
      DataView: new DataView(bytes.buffer, 1, 4),
      ArrayBuffer: buffer,
    }
    for (const [type, value] of Object.entries(values)) {
      expect(canonical(value)).toBe(`{"$bytes":"${digest}","t":"${type}"}`)
    }
  })

  it('takes a Buffer for the Uint8Array that it is', () => {
    expect(keyOf(Buffer.from('abc'))).toBe(keyOf(new TextEncoder().encode('abc')))
  })

  it('uses the first codec that knows a value', () => {
    const codecs = [money, { ...money, name: 'other' }]
    expect(canonical([new Money(5, 'EUR')], { codecs })).toBe('[{"$codec":["money",[5,"EUR"]]}]')
  })

  it('asks codecs before it takes a value for what it extends', () => {
    class Trace extends Map<string, number> {}
    const trace: KeyCodec<Trace> = {
      name: 'trace',
      test: (value) => value instanceof Trace,
      encode: (value) => [...value.keys()],
    }
    expect(canonical(new Trace([['a', 1]]), { codecs: [trace] })).toBe('{"$codec":["trace",["a"]]}')
    expect(refusal(new Trace()).message).toContain('an instance of Trace')
  })

  it('takes an object with toJSON for what that returns, if allowed', () => {
    expect(canonical({ user: new User() }, { allowToJSON: true })).toBe('{"user":{"id":7}}')
    expect(canonical({ id: 1, toJSON: () => 'one' }, { allowToJSON: true })).toBe('"one"')
    expect(canonical(new Date(0), { allowToJSON: true })).toBe(canonical(new Date(0)))
  })
})

describe('what has no canonical form', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['NaN', { a: [NaN] }, '$.a[0]', /is NaN/],
    ['Infinity', [-Infinity], '$[0]', /is -Infinity/],
    ['a lone surrogate', { a: 'x\ud800' }, '$.a', /lone surrogate/],
    ['a lone surrogate in a long text', ['x'.repeat(100) + '\udc00'], '$[0]', /lone surrogate/],
    ['a lone surrogate in a name', { 'x\ud800': 1 }, '$["x\\ud800"]', /lone surrogate/],
    ['an invalid date', { at: new Date(NaN) }, '$.at', /invalid date/],
    [
      'a function',
      { input: { client: [1, () => 1] } },
      '$.input.client[1]',
      /is a function.*register a codec/,
    ],
    ['a class', [Money], '$[0]', /is a function/],
    ['a symbol', { a: { 'odd name': Symbol('s') } }, '$.a["odd name"]', /is a symbol.*leave it out/],
    ['a getter', { a: { get now() { return expect.fail('asked') } } }, '$.a.now', /is a getter/], // prettier-ignore
    ['a setter', { set a(_: number) {} }, '$.a', /is a getter/],
    ['a class instance', { price: new Money(1, 'EUR') }, '$.price', /an instance of Money.*register a codec/],
    ['an instance with toJSON', { user: new User() }, '$.user', /an instance of User.*set allowToJSON/],
    ['an instance of no named class', [new Empty()], '$[0]', /an instance of a class/],
    ['an object that inherits data', Object.create({ a: 1 }), '$', /an instance of Object/],
    ['a list of a class', new (class Rows extends Array {})(), '$', /an instance of Rows/],
    ['bytes of a class', new (class Frame extends Uint8Array {})(1), '$', /an instance of Frame/],
    ['a promise', { a: Promise.resolve(1) }, '$.a', /an instance of Promise: await it first/],
    ['a blob', new Blob(['x']), '$', /an instance of Blob: await its bytes first/],
    ['a stream', new ReadableStream(), '$', /an instance of ReadableStream: read it first/],
    ["Node's stream", Readable.from([]), '$', /an instance of Readable/],
    ['a WeakMap', new WeakMap(), '$', /an instance of WeakMap/],
    ['an error', new TypeError('x'), '$', /an instance of TypeError: pick its name and message/],
    ['a boxed number', Object(1), '$', /an instance of Number/],
    ['a shared buffer', new SharedArrayBuffer(1), '$', /an instance of SharedArrayBuffer/],
    ["a map's key", new Map([[{ a: NaN }, 1]]), '$.keys()[0].a', /is NaN/],
    ["a map's value", { m: new Map([[1, 1], [2, NaN]]) }, '$.m.values()[1]', /is NaN/], // prettier-ignore
    ["a set's part", new Set([1, [NaN]]), '$.values()[1][0]', /is NaN/],
  ])('is refused with its path: %s', (_, value, path, message) => {
    const error = refusal(value)
    expect(error.code).toBe('ERR_KEY')
    expect(error.path).toBe(path)
    expect(error.message).toMatch(message)
    expect(error.message).toContain(path)
  })

  it('names both ends of a circle', () => {
    const a: Record<string, unknown> = { text: 'x'.repeat(100) }
    a['b'] = { c: [a] }
    expect(refusal({ a }).message).toMatch(/^\$\.a\.b\.c\[0\] is \$\.a again, a circular reference/)
    expect(refusal({ a }, { maxBytes: 1000 }).path).toBe('$.a.b.c[0]')
    const map = new Map()
    map.set('self', map)
    expect(refusal(map).message).toMatch(/^\$\.values\(\)\[0\] is \$ again/)
  })

  it('takes what encodes itself for a circle', () => {
    const codec: KeyCodec<Money> = { ...money, encode: (value) => value }
    expect(refusal([new Money(1, 'EUR')], { codecs: [codec] }).message).toContain('circular')
    const endless: KeyCodec<Money> = { ...money, encode: () => new Money(1, 'EUR') }
    expect(refusal(new Money(1, 'EUR'), { codecs: [endless] }).message).toContain(
      'nested deeper than 500 levels',
    )
  })

  it('is allowed 500 levels, and refused for more, however many', () => {
    expect(keyOf(nested(500))).toHaveLength(43)
    expect(refusal(nested(501)).message).toContain('nested deeper than 500 levels')
    expect(refusal(nested(100_000)).message).toContain('nested deeper than 500 levels')
  })

  it('is refused beyond maxBytes of UTF-8', () => {
    expect(canonical('éé', { maxBytes: 6 })).toBe('"éé"')
    expect(keyOf('éé', { maxBytes: 6 })).toHaveLength(43)
    expect(refusal('éé', { maxBytes: 5 }).message).toMatch(/past maxBytes \(5\): pick fewer fields/)
    expect(keyOf('x'.repeat(1_048_574))).toHaveLength(43)
    expect(refusal('x'.repeat(1_048_575)).message).toContain('past maxBytes (1048576)')
    expect(refusal([], { maxBytes: NaN }).message).toContain('past maxBytes (NaN)')
    expect(keyOf(new Uint8Array(2_000_000))).toHaveLength(43)
  })

  it('is refused at maxBytes before the rest of it is looked at', () => {
    let value: unknown = 'x'
    for (let i = 0; i < 100; i++) value = [value, value]
    expect(refusal(value).message).toContain('past maxBytes')
    let set: unknown = new Set(['x'])
    for (let i = 0; i < 100; i++) set = new Set([[set], set])
    expect(refusal(set).message).toContain('past maxBytes')
  })

  it('counts the parts of a map once', () => {
    const text = 'x'.repeat(1000)
    const value = new Map([[1, new Map([[1, new Set([text])]])]])
    expect(canonical(value, { maxBytes: canonical(value).length })).toContain(text)
  })

  it('wraps what a codec, a toJSON or a proxy throws, and says where', () => {
    const cause = new Error('mine')
    const fail = (): never => {
      throw cause
    }
    const proxy = new Proxy({}, { ownKeys: fail })
    for (const error of [
      refusal({ a: [new Money(1, 'EUR')] }, { codecs: [{ ...money, encode: fail }] }),
      refusal({ a: [{ toJSON: fail }] }, { allowToJSON: true }),
      refusal({ a: [proxy] }),
    ]) {
      expect(error.path).toBe('$.a[0]')
      expect(error.message).toContain('$.a[0] cannot be read')
      expect(error.cause).toBe(cause)
    }
  })

  it('is never any other error', () => {
    const odd = fc.constantFrom<unknown[]>(
      () => 1,
      Symbol('s'),
      new Money(1, 'EUR'),
      new Proxy(
        {},
        { get: () => expect.fail(), getOwnPropertyDescriptor: () => undefined, ownKeys: () => ['a'] },
      ),
      Proxy.revocable({}, {}).proxy,
      Object.create(null, { toString: { get: () => expect.fail() } }),
      Object.defineProperty([], 0, { get: () => 1, enumerable: true }),
      { constructor: { name: Symbol('s') } },
      Object.create({ constructor: null }),
      new Proxy(Money, {}),
      globalThis,
    )
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      withBoxedValues: true,
    })
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        value,
        odd,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('tree')),
      ),
    }))
    fc.assert(
      fc.property(tree, fc.boolean(), (value, allowToJSON) => {
        const error = errorOf(() => keyOf(value, { allowToJSON }))
        expect(error === undefined || error instanceof CacheKeyError).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

/** Text and names from a small set, so that equal and nearly equal values are met often. */
const words = fc.constantFrom(
  '',
  'a',
  'b',
  '1',
  '10',
  '$',
  '$$',
  '$a',
  '$$a',
  '$date',
  '$map',
  '$undefined',
  '{}',
  '"',
  '{"$set":[]}',
)

const { values } = fc.letrec<{ values: unknown }>((tie) => ({
  values: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown[]>(null, undefined, true, false, 0, -0, 1, 10, 1.5, 1n, 10n, NaN),
    words,
    words,
    fc.constantFrom(0, 1).map((ms) => new Date(ms)),
    fc.constantFrom('https://a/', 'https://b/').map((href) => new URL(href)),
    fc.constantFrom(/a/, /a/g, /b/),
    fc.constantFrom(Uint8Array, Int8Array, Uint16Array).map((Type) => new Type(2)),
    fc.array(tie('values'), { maxLength: 3 }),
    fc.array(fc.tuple(words, tie('values')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
    fc.array(fc.tuple(tie('values'), tie('values')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('values'), { maxLength: 3 }).map((parts) => new Set(parts)),
  ),
}))

/** The equality that canonical forms stand for, said another way: pairs each part of one with a part of the other. */
function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (a.constructor !== b.constructor) return false
  if (Array.isArray(a))
    return a.length === (b as unknown[]).length && a.every((item, i) => isEqual(item, (b as unknown[])[i]))
  if (a instanceof Map) return isPermutation([...a], [...(b as typeof a)])
  if (a instanceof Set) return isPermutation([...a], [...(b as typeof a)])
  if (a instanceof Date) return a.getTime() === (b as Date).getTime()
  if (a instanceof URL) return a.href === (b as URL).href
  if (a instanceof RegExp) return a.source === (b as RegExp).source && a.flags === (b as RegExp).flags
  if (ArrayBuffer.isView(a)) return [...(a as Uint8Array)].join() === [...(b as Uint8Array)].join()
  return isPermutation(presentIn(a), presentIn(b))
}

const presentIn = (value: object): unknown[] => Object.entries(value).filter(([, part]) => part !== undefined)

function isPermutation(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  const rest = [...b]
  return a.every((part) => {
    const at = rest.findIndex((other) => isEqual(part, other))
    return at >= 0 && rest.splice(at, 1).length === 1
  })
}

const objectOf = (names: string[]): object => Object.fromEntries(names.map((name) => [name, name]))
const mapOf = (names: string[]): unknown => new Map(names.map((name) => [name, new Set(names)]))

const formOf = (value: unknown): string | undefined => {
  try {
    return canonical(value)
  } catch {
    return undefined
  }
}

describe('the equality of canonical forms', () => {
  it('is that of the values', () => {
    let equal = 0
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [formOfA, formOfB] = [formOf(a), formOf(b)]
        fc.pre(formOfA !== undefined && formOfB !== undefined)
        if (formOfA === formOfB) equal++
        expect(formOfA === formOfB).toBe(isEqual(a, b))
      }),
      { numRuns: 5000 },
    )
    // Random pairs must meet, or nothing was shown.
    expect(equal).toBeGreaterThan(50)
  })

  it('holds among many values at once', () => {
    const known = new Map<string, unknown>()
    fc.assert(
      fc.property(values, (value) => {
        const form = formOf(value)
        fc.pre(form !== undefined)
        if (!known.has(form)) known.set(form, value)
        expect(isEqual(known.get(form), value)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('does not depend on the order of names, of map entries and of set parts', () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned)
      if (value instanceof Map)
        return new Map([...value].toReversed().map(([key, part]) => [turned(key), turned(part)]))
      if (value instanceof Set) return new Set([...value].toReversed().map(turned))
      if (value?.constructor !== Object) return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, part]) => [name, turned(part)]),
      )
    }
    fc.assert(
      fc.property(values, (value) => {
        expect(formOf(turned(value))).toBe(formOf(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('does not depend on any permutation of many names', () => {
    const shuffled = fc
      .uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 40, size: 'max' })
      .chain((names) => fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })))
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(keyOf(objectOf(one))).toBe(keyOf(objectOf(other)))
        expect(keyOf(mapOf(one))).toBe(keyOf(mapOf(other)))
      }),
    )
  })
})
