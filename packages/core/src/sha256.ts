/** How a digest is written: 43 characters of `A–Z a–z 0–9 - _`, or 64 hexadecimal digits. */
export type DigestForm = 'base64url' | 'hex'

/** Takes in bytes piece by piece, which the caller may use again, and text as UTF-8; then gives one digest. */
export interface Sha256 {
  update(data: string | Uint8Array): Sha256
  digest(form: DigestForm): string
}

/** What is used of `node:crypto`, which is there in Node, Bun and Deno. `hash` is newer, and faster if all is at hand. */
interface NodeCrypto {
  readonly hash?: (algorithm: string, data: string | Uint8Array, form: DigestForm) => string
  createHash(algorithm: string): Sha256
}

let found: NodeCrypto | false | undefined

/** The module if it works: some edge platforms have one that throws when it is used. */
function nodeCrypto(): NodeCrypto | false {
  try {
    const { process } = globalThis as {
      process?: { getBuiltinModule?: (name: string) => NodeCrypto | undefined }
    }
    const crypto = process?.getBuiltinModule?.('node:crypto')
    return crypto?.createHash('sha256').update('').digest('hex').length === 64 && crypto
  } catch {
    return false
  }
}

/**
 * The SHA-256 digest (FIPS 180-4) of bytes, or of text as UTF-8.
 *
 * The platform's own where it can be called synchronously, else {@link portableSha256}; both answer the same.
 * Text must be well formed: a lone surrogate counts as U+FFFD, so that different texts would share a digest.
 */
export function sha256(data: string | Uint8Array, form: DigestForm = 'base64url'): string {
  found ??= nodeCrypto()
  return found && found.hash ? found.hash('sha256', data, form) : createSha256().update(data).digest(form)
}

/** {@link sha256} of what is not at hand in one piece. */
export function createSha256(): Sha256 {
  found ??= nodeCrypto()
  return found ? found.createHash('sha256') : portableSha256()
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

/** {@link createSha256} in plain JavaScript, for browsers and for workers that have no other. */
export function portableSha256(): Sha256 {
  prepare()
  const state = new Int32Array(initial)
  const w = new Int32Array(64)
  const block = new Uint8Array(64)
  const view = new DataView(block.buffer)
  let length = 0

  function update(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    for (let i = 0; i < bytes.length; i++) {
      block[length++ & 63] = bytes[i]!
      if ((length & 63) === 0) compress()
    }
  }

  function compress(): void {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(4 * i)
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!
      const y = w[i - 2]!
      w[i] =
        (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) +
        (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)) +
        w[i - 7]! +
        w[i - 16]!
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
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

  const self: Sha256 = {
    update(data) {
      update(data)
      return self
    },
    digest(form) {
      const bits = length * 8
      const end = new Uint8Array(((119 - (length & 63)) & 63) + 9)
      end[0] = 0x80
      const tail = new DataView(end.buffer)
      tail.setUint32(end.length - 8, bits / 2 ** 32)
      tail.setUint32(end.length - 4, bits)
      update(end)
      let hex = ''
      for (const word of state) hex += (word >>> 0).toString(16).padStart(8, '0')
      if (form === 'hex') return hex
      const binary = hex.replace(/../g, (pair) => String.fromCharCode(Number(`0x${pair}`)))
      return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').slice(0, 43)
    },
  }
  return self
}
