// placeholder
import type { Codec } from '@flow-cache/core'
export const jsonCodec: Codec = {
  name: 'json',
  encode: (v) => Buffer.from(JSON.stringify(v)),
  decode: (b) => JSON.parse(Buffer.from(b).toString()) as unknown,
}
