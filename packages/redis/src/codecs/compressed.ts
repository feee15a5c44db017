// placeholder
import type { Codec } from '@flow-cache/core'
export interface CompressionOptions {
  readonly threshold?: number | undefined
  readonly maxBytes?: number | undefined
}
export function compressed(codec: Codec, _options: CompressionOptions = {}): Codec {
  return codec
}
