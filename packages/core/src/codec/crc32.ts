/** CRC-32 as zlib has it: of `bytes`, going on from the checksum `of` what came before. */
export type Crc32 = (bytes: Uint8Array, of?: number) => number

const table = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  return sum
})

/** The same on every platform, a byte at a time. */
export const neutralCrc32: Crc32 = (bytes, of = 0) => {
  let sum = ~of
  for (let i = 0; i < bytes.length; i++) sum = (sum >>> 8) ^ table[(sum ^ bytes[i]!) & 0xff]!
  return ~sum >>> 0
}

/** The part of Node's `process` used here. Bun and Deno have it too. */
interface Process {
  getBuiltinModule?(name: 'node:zlib'): { readonly crc32?: Crc32 } | undefined
}

/** What the platform brings, where it does: many times as fast. */
export const crc32: Crc32 =
  (globalThis as { readonly process?: Process }).process?.getBuiltinModule?.('node:zlib')?.crc32 ??
  neutralCrc32
