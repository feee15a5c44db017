import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DigestForm, portableSha256, sha256 } from './sha256.js'

const expected = (data: string | Uint8Array, form: DigestForm): string =>
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

const implementations: readonly (readonly [string, typeof sha256])[] = [
  ["the platform's", sha256],
  ['the portable one', portableSha256],
]

describe.each(implementations)('%s', (_, digest) => {
  it.each(vectors)("agrees with NIST's vectors", (text, hex) => {
    expect(digest(text, 'hex')).toBe(hex)
  })

  it('gives the right digest of every length from 0 to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length)
      expect(digest(bytes, 'base64url')).toBe(expected(bytes, 'base64url'))
    }
  })

  it('gives the right digest of any bytes and any well-formed text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), fc.string({ unit: 'binary' })), (data) => {
        expect(digest(data, 'hex')).toBe(expected(data, 'hex'))
      }),
    )
  })
})

describe('sha256', () => {
  it('is 43 characters that are safe in a URL', () => {
    expect(sha256('abc', 'base64url')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })

  it('is hexadecimal where asked for', () => {
    expect(sha256('abc', 'hex')).toBe(vectors[1][1])
  })

  it('takes the bytes in view alone', () => {
    const bytes = new TextEncoder().encode('xabcx').subarray(1, 4)
    expect(sha256(bytes, 'hex')).toBe(vectors[1][1])
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
  })
})
