/** How a digest is written: 43 characters of `A–Z a–z 0–9 - _`, or 64 hexadecimal digits. */
export type DigestForm = 'base64url' | 'hex'

type Digest = (data: string | Uint8Array, form: DigestForm) => string

/** What is used of `node:crypto`, which is there in Node, Bun and Deno. `hash` is newer and faster. */
interface NodeCrypto {
  readonly hash?: (algorithm: string, data: string | Uint8Array, form: DigestForm) => string
  createHash(algorithm: string): { update(data: string | Uint8Array): { digest(form: DigestForm): string } }
}

let digest: Digest | undefined

/**
 * The SHA-256 digest (FIPS 180-4) of bytes, or of text as UTF-8.
 *
 * The platform's own where it can be called synchronously, else {@link portableSha256}; both answer the same.
 * Text must be well formed: a lone surrogate counts as U+FFFD, so that different texts would share a digest.
 */
export function sha256(data: string | Uint8Array, form: DigestForm): string {
  digest ??= platformSha256() ?? portableSha256
  return digest(data, form)
}

/** The platform's if it works: some edge platforms have a module that throws when it is used. */
function platformSha256(): Digest | undefined {
  try {
    const { process } = globalThis as unknown as {
      process: { getBuiltinModule(name: string): NodeCrypto }
    }
    const crypto = process.getBuiltinModule('node:crypto')
    const sha256: Digest = (data, form) =>
      crypto.hash?.('sha256', data, form) ?? crypto.createHash('sha256').update(data).digest(form)
    if (sha256('', 'hex').length === 64) return sha256
  } catch {}
  return undefined
}

const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

/** The first 32 bits of the fraction: how FIPS 180-4 (4.2.2, 5.3.3) gets its constants out of the primes. */
const fraction = (x: number): number => ((x % 1) * 2 ** 32) | 0

const initial: number[] = []
const rounds: number[] = []

function prepare(): void {
  for (let n = 2; rounds.length < 64; n++) {
    let d = 2
    while (n % d) d++
    if (d < n) continue
    if (initial.length < 8) initial.push(fraction(n ** (1 / 2)))
    rounds.push(fraction(n ** (1 / 3)))
  }
}

/** {@link sha256} in plain JavaScript, for browsers and for workers that have no other. */
export function portableSha256(data: string | Uint8Array, form: DigestForm): string {
  prepare()
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  // Behind the bytes: one bit, zeros, and how many bits there were, in whole blocks of 64 bytes.
  const view = new DataView(new ArrayBuffer((bytes.length + 72) & ~63))
  new Uint8Array(view.buffer).set(bytes)
  view.setUint8(bytes.length, 0x80)
  view.setUint32(view.byteLength - 8, bytes.length / 2 ** 29)
  view.setUint32(view.byteLength - 4, bytes.length * 8)
  const w = new Int32Array(64)
  const state = new Int32Array(initial)
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let i = 0; i < 64; i++) {
      const x = w[i - 15]!
      const y = w[i - 2]!
      w[i] =
        i < 16
          ? view.getInt32(at + 4 * i)
          : (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) +
            (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)) +
            w[i - 7]! +
            w[i - 16]!
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
    for (let i = 0; i < 64; i++) {
      const t =
        (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + rounds[i]! + w[i]!) | 0
      const u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = (d + t) | 0
      d = c
      c = b
      b = a
      a = (t + u) | 0
    }
    ;[a, b, c, d, e, f, g, h].forEach((word, i) => (state[i]! += word))
  }
  const hex = Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  if (form === 'hex') return hex
  const binary = hex.replace(/../g, (pair) => String.fromCharCode(Number(`0x${pair}`)))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').slice(0, 43)
}
