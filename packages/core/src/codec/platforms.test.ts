import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { plainCodec as ofNode } from './plain-codec.js'

const key = 'k'
const values = [
  { a: [1, 'é😀', null, { '~u': '~' }] },
  [undefined, NaN, -0, 12n, new Date(3), new Map([[new Set([1]), new Uint8Array([1, 2, 3])]])],
  [Object.create(null), new Float64Array([1.5]), new DataView(new ArrayBuffer(3)), new ArrayBuffer(2)],
  Array.from({ length: 40 }, (_, i) => i / 3),
]

// What remains where there is nothing of Node's, as in a browser or an edge worker.
beforeEach(() => {
  vi.stubGlobal('Buffer', undefined)
  vi.stubGlobal('process', undefined)
  vi.resetModules()
})
afterEach(() => {
  vi.unstubAllGlobals()
})

it('without Buffer and process the bytes are the same, and so are the values', async () => {
  const { plainCodec } = await import('./plain-codec.js')
  expect(plainCodec).not.toBe(ofNode)
  for (const value of values) {
    const bytes = plainCodec.encode(value, key)
    expect(new Uint8Array(bytes)).toEqual(new Uint8Array(ofNode.encode(value, key)))
    expect(plainCodec.decode(bytes, key)).toStrictEqual(value)
  }
})

it('without Buffer a value with one is not understood, and neither is what is no UTF-8', async () => {
  vi.unstubAllGlobals()
  const bytes = ofNode.encode([Buffer.from('abc')], key)
  vi.stubGlobal('Buffer', undefined)
  const { plainCodec } = await import('./plain-codec.js')
  expect(() => plainCodec.decode(bytes, key)).toThrow('there is no Buffer here')
  expect(() => plainCodec.decode(Uint8Array.of(0x22, 0xff, 0x22), key)).toThrow('UTF-8')
})
