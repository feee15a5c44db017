import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSha256, portableSha256, type Sha256, sha256 } from './sha256.js'

const expected = (data: string | Uint8Array, form: 'base64url' | 'hex'): string =>
  createHash('sha256').update(data).digest(form)

/** FIPS 180-2 appendix B, and the empty message of NIST's CAVP vectors. */
const vectors = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
] as const

const implementations: readonly (readonly [string, () => Sha256])[] = [
  ["the platform's", createSha256],
  ['the portable one', portableSha256],
]

describe.each(implementations)('%s', (_, create) => {
  it.each(vectors)("agrees with NIST's vectors", (text, digest) => {
    expect(create().update(text).digest('hex')).toBe(digest)
  })

  it('gives the right digest of every length from 0 to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length)
      expect(create().update(bytes).digest('base64url')).toBe(expected(bytes, 'base64url'))
    }
  })

  it('gives the right digest of any bytes and any well-formed text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), fc.string({ unit: 'binary' })), (data) => {
        expect(create().update(data).digest('hex')).toBe(expected(data, 'hex'))
      }),
    )
  })

  it('takes the bytes in pieces, and the caller may use the array again', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i)
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 5 }), (lengths) => {
        const hash = create()
        const piece = new Uint8Array(200)
        let at = 0
        for (const length of lengths) {
          piece.set(bytes.subarray(at, (at += length)).subarray(0, 200))
          hash.update(piece.subarray(0, length))
          piece.fill(0)
        }
        expect(hash.digest('hex')).toBe(expected(bytes.subarray(0, at), 'hex'))
      }),
    )
  })
})

describe('sha256', () => {
  it('is 43 characters that are safe in a URL', () => {
    expect(sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })

  it('is hexadecimal where asked for', () => {
    expect(sha256('abc', 'hex')).toBe(vectors[1][1])
  })

  it('takes the bytes in view alone', () => {
    const bytes = new TextEncoder().encode('xabcx').subarray(1, 4)
    expect(sha256(bytes)).toBe(sha256('abc'))
  })
})

describe('on a platform without a working node:crypto', () => {
  const { getBuiltinModule } = process
  afterEach(() => {
    process.getBuiltinModule = getBuiltinModule
  })

  const platforms: readonly (readonly [string, unknown])[] = [
    ['has none', undefined],
    ['has one that throws', { createHash: () => expect.fail('not implemented') }],
    ['has one without the one-shot function', { createHash }],
  ]

  it.each(platforms)('the digest is the same if it %s', async (_, module) => {
    process.getBuiltinModule = ((id: string) =>
      id === 'node:crypto' ? module : getBuiltinModule(id)) as never
    vi.resetModules()
    const fresh = await import('./sha256.js')
    for (const [text, digest] of vectors) expect(fresh.sha256(text, 'hex')).toBe(digest)
    expect(fresh.createSha256().update('a').update('bc').digest('hex')).toBe(vectors[1][1])
  })
})
